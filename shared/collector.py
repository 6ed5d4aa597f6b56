"""When the garbage collector looks at the code of a process: never, if we can help it.

Loading our services and their libraries makes some 400,000 objects, and nearly all of them stay as long as the process.
"""

import gc

_WHILE_LOADING = 500_000  # objects more than before, until it looks: loading is through by then
_USUAL = gc.get_threshold()


def leave_loading_alone() -> None:
    """Loading took a quarter longer while the collector went through what it had loaded so far, again and again."""
    gc.set_threshold(_WHILE_LOADING, *_USUAL[1:])


def keep_code_from_the_collector() -> None:
    """Once all is loaded: the collector works as usual, and does not visit the objects of modules, which cost up to a
    fifth of a busy service's time."""
    gc.set_threshold(*_USUAL)
    gc.collect()
    gc.freeze()
