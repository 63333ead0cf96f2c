"""`python -m portal …`"""

import sys

from portal import logs

logs.configure("console")  # until the settings say otherwise: whatever fails before is told in the same way
logs.take_over_the_process()

from portal.cli import main  # noqa: E402

sys.exit(main())
