door-foreign-form = This request does not come from a page of this console, so nothing was done. Open the console and repeat it there.
door-not-signed-in = Sign in first.
door-beyond-scope = This page shows the whole register; your roles cover a part of it.
door-sign-out = Sign out
