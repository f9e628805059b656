"""SMART App Launch 2: Herald as an app that an EHR launches, or that signs in at one by itself.

Nothing of the EHR is stored: who is signed in, whose record is open and the access token stand in an encrypted cookie.
"""
