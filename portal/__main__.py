"""`python -m portal …`"""

import sys

from portal import logs
from portal.cli import main

logs.take_over_the_process()
sys.exit(main())
