"""Who changed what, when and why; only ever added to."""

import peewee

from portal.models.fields import Table, UtcDateTimeField


class AuditLog(Table):
    """One change of state, written in its transaction. No personal data: ids, states, causes. Triggers refuse edits."""

    entity = peewee.TextField()
    entity_id = peewee.TextField()
    from_state = peewee.TextField(null=True)
    to_state = peewee.TextField()
    actor = peewee.TextField()
    cause = peewee.TextField()
    at = UtcDateTimeField()


AuditLog.add_index(AuditLog.index(AuditLog.entity, AuditLog.entity_id, AuditLog.id, name="audit_log_of_entity"))
