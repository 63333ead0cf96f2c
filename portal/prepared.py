"""Statements whose SQL is worked out once. The query builder takes ten times as long to write a statement as the
database to answer it, so the few that every page and every message from Stripe need are kept as text with blanks.

Everything else is written with the query builder as usual: this is for hot paths."""

import inspect
import re
from collections.abc import Callable, Sequence
from datetime import date, time
from functools import cache, lru_cache
from itertools import count
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

import peewee

Row = TypeVar("Row")

_PLAIN = {peewee.AutoField, peewee.BigIntegerField, peewee.IntegerField, peewee.TextField}
"""Columns whose values both engines take and give as the models have them. Our own kinds, built on these, convert."""

_READ: dict[type, Callable[[Any], Any] | None] = {
    **dict.fromkeys((*_PLAIN, peewee.ForeignKeyField)),
    # The library's own readers of these try one format after the other.
    peewee.DateField: lambda value: date.fromisoformat(value) if isinstance(value, str) else value,
    peewee.TimeField: lambda value: time.fromisoformat(value) if isinstance(value, str) else value,
}


_WORD = re.compile(r"[A-Za-z0-9 _:.+-]*")
"""Texts that are the same in quotes, whatever the engine."""


class Blank(peewee.Node):
    """Where a value goes that is given each time. Compared with a column it is converted as the column wants it; where
    the builder does not know the column (INSERT, SET), `of` names it."""

    def __init__(self, position: int, column: peewee.Field | None = None) -> None:
        self.position = position
        self._convert = column.db_value if column else None

    def of(self, column: Any) -> "Blank":
        return Blank(self.position, column)

    def __sql__(self, ctx: peewee.Context) -> peewee.Context:
        filled: peewee.Context = ctx.value(_Slot(self.position, self._convert or ctx.state.converter), converter=False)
        return filled


class _Steady(peewee.Node):
    """See `steady`."""

    def __init__(self, blank: Blank, column: Any) -> None:
        self._blank, self._column = blank.of(column), column

    def __sql__(self, ctx: peewee.Context) -> peewee.Context:
        # Standing alone, an instant would pass for a text on PostgreSQL; SQLite has no such type.
        is_instant = ctx.state.param == "%s" and self._column.field_type == "TIMESTAMPTZ"
        written: peewee.Context = self._blank.__sql__(ctx.literal("(SELECT "))
        return written.literal("::timestamptz)" if is_instant else ")")


def steady(value: Any, column: Any) -> Any:
    """A blank in a form whose value is not looked at when a way to the rows is chosen. Otherwise PostgreSQL makes a new
    plan each time for the bound of a range: one for this very day looks cheaper to it than one for any day. Only for a
    statement that ends in a LIMIT and follows an index: for all rows of a range, that look is what finds the way."""
    return _Steady(value, column) if isinstance(value, Blank) else value


class _Slot:
    """Stands among the parameters of a statement until it is run."""

    def __init__(self, position: int, convert: Callable[[Any], Any] | None) -> None:
        self.position = position
        is_plain = type(getattr(convert, "__self__", None)) in _PLAIN
        self.convert = None if is_plain else convert


class _Text:
    """One statement as one engine takes it."""

    def __init__(self, query: Any, blanks: int, make: Callable[[Any], Any], remembers: int) -> None:
        self.query, self._make, self._remembers = query, make, remembers
        self.sql, parameters = _with_constants(*query.sql(), mark=query._database.param)
        self._constants = tuple(p for p in parameters if not isinstance(p, _Slot))
        behind = count(blanks)  # the constants follow the values that are given each time
        places = [p.position if isinstance(p, _Slot) else next(behind) for p in parameters]
        self._in_order = None if places == list(range(blanks)) else _picker(places)
        slots = [(at, p) for at, p in enumerate(parameters) if isinstance(p, _Slot)]
        self._converted = [(at, slot.convert) for at, slot in slots if slot.convert]
        self.to_row: Callable[[Any], Any] | None = None
        """How a row of the database becomes an object; known once the first answer shows its columns."""

    def fill(self, values: tuple[Any, ...]) -> Sequence[Any]:
        filled = list(values if self._in_order is None else self._in_order(values + self._constants))
        for at, convert in self._converted:
            filled[at] = convert(filled[at])
        return filled

    def read(self, cursor: Any) -> list[Any]:
        if self.to_row is None:
            to_row = _reader_of(self.query, cursor, self._make)
            self.to_row = lru_cache(self._remembers)(to_row) if self._remembers else to_row
        return [self.to_row(row) for row in cursor.fetchall()]


def _picker(places: list[int]) -> Callable[[Any], Any]:
    """Takes these values out of a row, in this order."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[place] for place in places)  # of a single one, the library would not make a tuple


def _with_constants(sql: str, parameters: list[Any], *, mark: str) -> tuple[str, list[Any]]:
    """The numbers and plain words of the statement as part of its text. PostgreSQL then plans it once for good: with
    LIMIT as a value it holds any number for possible, and makes another plan each time as soon as a table is large."""
    first, *pieces = sql.split(mark)
    if len(pieces) != len(parameters):
        return sql, parameters
    text, left = [first], []
    for parameter, piece in zip(parameters, pieces, strict=True):
        is_number = type(parameter) is int and parameter >= 0  # two minus signs would begin a comment
        is_word = isinstance(parameter, str) and _WORD.fullmatch(parameter)
        if not (is_number or is_word):
            left.append(parameter)
        text += [str(parameter) if is_number else f"'{parameter}'" if is_word else mark, piece]
    return "".join(text), left


class Prepared(Generic[Row]):
    """A statement made by a function of its blanks: `Prepared(lambda code: Stay.select().where(Stay.code == code))`.

    Values are given in the same order. A list cannot be one, nor None where the statement compares: SQL says that
    differently. Rows are what the query builder would give: models with those joined to them, tuples, dictionaries;
    for a statement that ends in `tuples()`, what `make` makes of the values of a row (`SomeNamedTuple._make`).
    `remembers`: of so many rows; one that says the same again is the same object, so it has to be one that nobody
    changes."""

    def __init__(
        self,
        write: Callable[..., Any],
        *,
        blanks: int | None = None,
        make: Callable[[Any], Row | Any] = tuple,
        remembers: int = 0,
    ) -> None:
        self._write, self._make, self._remembers = write, make, remembers
        wanted = len(inspect.signature(write).parameters) if blanks is None else blanks
        self._blanks = [Blank(number) for number in range(wanted)]
        self._texts: dict[type, _Text] = {}
        self._proxy: Any = None
        """The models' database, behind which is the one that is in use."""

    def all(self, *values: Any) -> list[Row]:
        text, cursor = self._execute(values)
        return text.read(cursor)

    def first(self, *values: Any) -> Row | None:
        """The only row or the first; None if there is none. A LIMIT, where one is needed, is in the statement."""
        rows = self.all(*values)
        return rows[0] if rows else None

    def run(self, *values: Any) -> int:
        """For INSERT, UPDATE and DELETE: how many rows it touched."""
        return int(self._execute(values)[1].rowcount)

    def _execute(self, values: tuple[Any, ...]) -> tuple[_Text, Any]:
        if len(values) != len(self._blanks):
            raise TypeError(f"{len(self._blanks)} values are needed, not {len(values)}")
        if self._proxy is None:
            self._proxy = self._write(*self._blanks)._database
        database = self._proxy.obj
        text = self._texts.get(type(database))
        if text is None:  # two threads may both do it: the result is the same
            text = self._texts[type(database)] = _Text(
                self._write(*self._blanks), len(self._blanks), self._make, self._remembers
            )
        return text, database.execute_sql(text.sql, text.fill(values))


def insert(model: type[peewee.Model], *, unless_there: bool = False, **values: Any) -> int:
    """Add one row; how many were added. `unless_there`: none where a unique index has such a row already."""
    return _insert_of(model, tuple(values), unless_there).run(*values.values())


@cache
def _insert_of(model: Any, columns: tuple[str, ...], unless_there: bool) -> Prepared[Any]:
    def write(*blanks: Blank) -> Any:
        fields = [getattr(model, column) for column in columns]
        query = model.insert({field: blank.of(field) for field, blank in zip(fields, blanks, strict=True)})
        return (query.on_conflict_ignore() if unless_there else query).returning()  # nothing, so that rows are counted

    return Prepared(write, blanks=len(columns))


def update(model: type[peewee.Model], changes: dict[str, Any], **where: Any) -> int:
    """Change the rows whose columns have these values, none of them None; how many there were."""
    return _update_of(model, tuple(changes), tuple(where)).run(*changes.values(), *where.values())


@cache
def _update_of(model: Any, columns: tuple[str, ...], where: tuple[str, ...]) -> Prepared[Any]:
    def write(*blanks: Blank) -> Any:
        fields = [getattr(model, column) for column in columns]
        query = model.update({field: blank.of(field) for field, blank in zip(fields, blanks, strict=False)})
        known = zip(where, blanks[len(columns) :], strict=True)
        return query.where(*(getattr(model, column) == blank for column, blank in known))

    return Prepared(write, blanks=len(columns) + len(where))


def _reader_of(query: Any, cursor: Any, make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The query builder's own reader of rows, set up once instead of each time; for models and for tuples a shorter
    one."""
    reader = query._get_cursor_wrapper(cursor)
    reader.initialize()
    if isinstance(reader, peewee.ModelTupleCursorWrapper):
        return _Values(reader, make).read
    columns = _columns_of(reader)
    if isinstance(reader, peewee.ModelObjectCursorWrapper) and reader.is_model:
        return _Part(reader.model, columns).read
    if isinstance(reader, peewee.ModelCursorWrapper):
        return _JoinedParts(reader, columns).read
    read: Callable[[Any], Any] = reader.process_row
    return read


class _Values:
    """The values of a row, and what is made of them."""

    def __init__(self, reader: peewee.ModelTupleCursorWrapper, make: Callable[[Any], Any]) -> None:
        self._make = make
        self._converted = [(column.at, column.convert) for column in _columns_of(reader) if column.convert]

    def read(self, row: Any) -> Any:
        values = list(row)
        for index, convert in self._converted:
            if values[index] is not None:
                values[index] = convert(values[index])
        return self._make(values)


class _Column(NamedTuple):
    """Where a value stands in a row, the field it is of (None: it was worked out), its name, and how it is read."""

    at: int
    field: Any
    name: str
    convert: Callable[[Any], Any] | None


def _columns_of(reader: Any) -> list[_Column]:
    found = []
    for index, field in enumerate(getattr(reader, "fields", ())):
        if field is None or reader.columns[index] not in (field.name, field.column_name):
            found.append(_Column(index, None, reader.columns[index], reader.converters[index]))
        else:
            found.append(_Column(index, field, field.name, _READ.get(type(field), field.python_value)))
    return found


class _Part:
    """The columns of a row that make up one model. What was worked out besides is an attribute of it."""

    def __init__(self, model: Any, columns: list[_Column]) -> None:
        self._model = model
        own = [column for column in columns if column.field is not None]
        self._names, self._pick = [column.name for column in own], _picker([column.at for column in own])
        self._converted = [(column.name, column.convert) for column in columns if column.field and column.convert]
        self._besides = [column for column in columns if column.field is None]
        self._all = _picker([column.at for column in columns])

    def read(self, row: Any) -> Any:
        instance = self._model(__no_default__=True)
        data = instance.__data__
        data.update(zip(self._names, self._pick(row), strict=True))
        for name, convert in self._converted:
            value = data[name]
            if value is not None:
                data[name] = convert(value)
        for index, _, name, convert_besides in self._besides:
            value = row[index]
            setattr(instance, name, convert_besides(value) if convert_besides else value)
        if self._besides:
            instance._dirty.clear()  # it is as it was read
        return instance

    def is_absent(self, row: Any) -> bool:
        """Whether an outer join found nothing."""
        return all(value is None for value in self._all(row))


class _JoinedParts:
    """A row that holds a model and others joined to it, each once."""

    def __init__(self, reader: peewee.ModelCursorWrapper, columns: list[_Column]) -> None:
        self._main = reader.model
        self._parts = {
            key: _Part(getattr(key, "model", key), [one for one in columns if reader.column_keys[one.at] == key])
            for key in set(reader.column_keys)
        }
        self._links = [(source, name, target, is_fk) for source, name, target, _, _, is_fk in reader.src_to_dest]

    def read(self, row: Any) -> Any:
        found: dict[Any, Any] = {
            key: None if part.is_absent(row) else part.read(row) for key, part in self._parts.items()
        }
        for source, name, target, is_key in self._links:
            if found[source] is None:
                continue
            if is_key:
                found[source].__rel__[name] = found[target]
            else:  # joined by something else than a foreign key, under a name of its own
                setattr(found[source], name, found[target])
        return found[self._main]
