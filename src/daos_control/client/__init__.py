"""The client library: every administrator verb as a typed coroutine, against our servers and genuine ones."""
