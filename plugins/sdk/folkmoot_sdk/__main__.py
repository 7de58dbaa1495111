"""`python -m folkmoot_sdk` is `folkmoot-plugin`."""

import sys

from folkmoot_sdk.command import main

sys.exit(main())
