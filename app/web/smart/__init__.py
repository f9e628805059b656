"""SMART App Launch 2: Herald as an app that an EHR launches, or that signs in at one by itself.

Nothing of the EHR is stored: who is signed in, whose record is open and the access token stand in an encrypted cookie.
"""

import warnings

from authlib.deprecate import AuthlibDeprecationWarning

# Authlib asks to go on to httpx2; httpx is what everything here uses, and still supported.
warnings.filterwarnings("ignore", "The httpx module is deprecated", AuthlibDeprecationWarning)
