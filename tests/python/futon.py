"""Python's synchronization primitives, made of futon's.

The classes of `threading` with the same methods, results and exceptions. What waits, counts and decides is futon,
through the C functions of `src`. Here arguments are checked and results made into exceptions.

Other than in `threading`: signals are handled after a wait, not in it; a `repr` does not name the owner of an
`RLock`; the lock of a `Condition` has to be a `Lock` or an `RLock` of this module; and the predicate of `wait_for`
may acquire the lock once more and release that, but not release what it was called with.
"""

import ctypes
import os
import threading
from ctypes import POINTER, c_bool, c_double, c_int64, c_size_t, c_uint8, c_uint32, c_void_p

__all__ = [
    "Barrier", "BoundedSemaphore", "BrokenBarrierError", "Condition", "Event", "Lock", "RLock", "Semaphore",
]

_HERE = os.path.dirname(os.path.abspath(__file__))
_LIBRARY = ctypes.CDLL(  # which lets other threads run during a call
    os.environ.get("FUTON_LIBRARY")
    or os.path.join(_HERE, os.pardir, os.pardir, "target", "release", "libfuton_python.so")
)
_CALLBACK = ctypes.CFUNCTYPE(c_uint8)
_TIMEOUT = POINTER(c_double)

# What C says: see `Answer` in src/lib.rs and `wait` in src/barrier.rs.
_YES, _NOT_ACQUIRED, _RAISED = 1, 2, 3
_BARRIER_BROKEN, _BARRIER_RAISED = -1, -2

# What is more than C can be told is more than there can be.
_MOST = 2**32 - 1


def _function(name, result, *arguments):
    """A function of the library. Its first argument, which is not named here, is the handle."""
    function = _LIBRARY["futon_" + name]
    function.restype = result
    function.argtypes = (c_void_p,) + arguments
    return function


def _constructor(name, *arguments):
    function = _LIBRARY["futon_" + name]
    function.restype = c_void_p
    function.argtypes = arguments
    return function


def _timeout(timeout):
    """What is None stays None, which is for ever."""
    if timeout is None:
        return None
    if timeout > threading.TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
    return c_double(max(0.0, timeout))


class _Callback:
    """A function of Python's for C to call. What it returns or raises is kept for the thread that has run it."""

    def __init__(self, function):
        self._kept = kept = threading.local()

        def call():
            try:
                kept.result = function()
                return bool(kept.result)
            except BaseException as error:
                kept.error = error
                return _RAISED

        self.pointer = _CALLBACK(call)

    def result(self):
        return self._kept.result

    def error(self):
        return vars(self._kept).pop("error")


class _Primitive:
    """What is at an address, the handle, until this is collected. None stands for nothing."""

    _handle = None

    def __del__(self):
        self._free(self._handle)

    def __repr__(self):
        cls = type(self)
        return f"<{cls.__module__}.{cls.__qualname__} at {id(self):#x}: {self._state()}>"


class _AnyLock(_Primitive):
    def __init__(self):
        self._handle = self._new()

    def acquire(self, blocking=True, timeout=-1):
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout != timeout:
            raise ValueError("Invalid value NaN (not a number)")
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        if not blocking:
            return self._try_acquire(self._handle)
        return self._acquire(self._handle, _timeout(None if timeout == -1 else timeout))

    def release(self):
        if not self._release(self._handle):
            raise RuntimeError(self._NOT_TO_RELEASE)

    def locked(self):
        return self._is_locked(self._handle)

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *exception):
        self.release()

    def __repr__(self):
        cls = type(self)
        state = "locked" if self.locked() else "unlocked"
        return f"<{state} {cls.__module__}.{cls.__qualname__} object {self._state()}at {id(self):#x}>"

    def _at_fork_reinit(self):
        self._free(self._handle)
        self._handle = self._new()


class Lock(_AnyLock):
    _new = _constructor("lock_new")
    _free = _function("lock_free", None)
    _acquire = _function("lock_acquire", c_bool, _TIMEOUT)
    _try_acquire = _function("lock_try_acquire", c_bool)
    _release = _function("lock_release", c_bool)
    _is_locked = _function("lock_is_locked", c_bool)
    _NOT_TO_RELEASE = "release unlocked lock"

    def _state(self):
        return ""


class RLock(_AnyLock):
    _new = _constructor("rlock_new")
    _free = _function("rlock_free", None)
    _acquire = _function("rlock_acquire", c_bool, _TIMEOUT)
    _try_acquire = _function("rlock_try_acquire", c_bool)
    _release = _function("rlock_release", c_bool)
    _release_all = _function("rlock_release_all", c_size_t)
    _acquire_all = _function("rlock_acquire_all", None, c_size_t)
    _is_mine = _function("rlock_is_owned", c_bool)
    _depth = _function("rlock_depth", c_uint32)
    _is_locked = _function("rlock_is_locked", c_bool)
    _NOT_TO_RELEASE = "cannot release un-acquired lock"

    def _is_owned(self):
        return self._is_mine(self._handle)

    def _recursion_count(self):
        return self._depth(self._handle)

    def _release_save(self):
        levels = self._release_all(self._handle)
        if levels == 0:
            raise RuntimeError(self._NOT_TO_RELEASE)
        return levels

    def _acquire_restore(self, levels):
        self._acquire_all(self._handle, levels)

    def _state(self):
        return f"count={self._recursion_count()} "


class Condition(_Primitive):
    _new = _constructor("condition_new")
    _free = _function("condition_free", None)
    _wait = {
        Lock: _function("condition_wait_lock", c_uint8, c_void_p, _TIMEOUT),
        RLock: _function("condition_wait_rlock", c_uint8, c_void_p, _TIMEOUT),
    }
    _wait_for = {
        Lock: _function("condition_wait_for_lock", c_uint8, c_void_p, _CALLBACK, _TIMEOUT),
        RLock: _function("condition_wait_for_rlock", c_uint8, c_void_p, _CALLBACK, _TIMEOUT),
    }
    _notify = _function("condition_notify", None, c_size_t)
    _notify_all = _function("condition_notify_all", None)
    _waiters = _function("condition_waiters", c_size_t)

    def __init__(self, lock=None):
        if lock is None:
            lock = RLock()
        if type(lock) not in self._wait:
            raise TypeError("the lock has to be a Lock or an RLock of futon's")
        self._lock = lock
        self._handle = self._new()
        # As in `threading`, which has these of the lock, too.
        self.acquire = lock.acquire
        self.release = lock.release
        self.locked = lock.locked
        if isinstance(lock, RLock):
            self._is_owned = lock._is_owned
            self._release_save = lock._release_save
            self._acquire_restore = lock._acquire_restore
        else:
            # A lock without an owner is taken for that of the caller, if it is taken.
            self._is_owned = lock.locked

    def __enter__(self):
        return self._lock.__enter__()

    def __exit__(self, *exception):
        return self._lock.__exit__(*exception)

    def __repr__(self):
        return f"<Condition({self._lock!r}, {self._waiters(self._handle)})>"

    def wait(self, timeout=None):
        wait = self._wait[type(self._lock)]
        answer = wait(self._handle, self._lock._handle, _timeout(timeout))
        if answer == _NOT_ACQUIRED:
            raise RuntimeError("cannot wait on un-acquired lock")
        return answer == _YES

    def wait_for(self, predicate, timeout=None):
        predicate = _Callback(predicate)
        wait_for = self._wait_for[type(self._lock)]
        answer = wait_for(self._handle, self._lock._handle, predicate.pointer, _timeout(timeout))
        if answer == _NOT_ACQUIRED:
            raise RuntimeError("cannot wait on un-acquired lock")
        if answer == _RAISED:
            raise predicate.error()
        result = predicate.result()
        assert bool(result) == (answer == _YES), "futon knows what the predicate has said"
        return result

    def notify(self, n=1):
        # futon does not ask who notifies.
        if not self._is_owned():
            raise RuntimeError("cannot notify on un-acquired lock")
        self._notify(self._handle, min(max(0, n), _MOST))

    def notify_all(self):
        if not self._is_owned():
            raise RuntimeError("cannot notify on un-acquired lock")
        self._notify_all(self._handle)

    def _at_fork_reinit(self):
        self._lock._at_fork_reinit()
        self._free(self._handle)
        self._handle = self._new()


class Semaphore(_Primitive):
    _new = _constructor("semaphore_new", c_uint32)
    _free = _function("semaphore_free", None)
    _acquire = _function("semaphore_acquire", c_bool, _TIMEOUT)
    _try_acquire = _function("semaphore_try_acquire", c_bool)
    _release = _function("semaphore_release", c_bool, c_uint32)
    _available = _function("semaphore_available", c_uint32)

    def __init__(self, value=1):
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._handle = self._new(min(value, _MOST))
        if self._handle is None:
            raise OverflowError("semaphore initial value is too large")

    @property
    def _value(self):
        return self._available(self._handle)

    def acquire(self, blocking=True, timeout=None):
        if blocking:
            return self._acquire(self._handle, _timeout(timeout))
        if timeout is not None:
            raise ValueError("can't specify timeout for non-blocking acquire")
        return self._try_acquire(self._handle)

    __enter__ = acquire

    def release(self, n=1):
        if n < 1:
            raise ValueError("n must be one or more")
        if not self._release(self._handle, min(n, _MOST)):
            raise self._too_many()

    def __exit__(self, *exception):
        self.release()

    def _too_many(self):
        return OverflowError("Semaphore released too many times")

    def _state(self):
        return f"value={self._value}"


class BoundedSemaphore(Semaphore):
    _new = _constructor("bounded_semaphore_new", c_uint32)
    _free = _function("bounded_semaphore_free", None)
    _acquire = _function("bounded_semaphore_acquire", c_bool, _TIMEOUT)
    _try_acquire = _function("bounded_semaphore_try_acquire", c_bool)
    _release = _function("bounded_semaphore_release", c_bool, c_uint32)
    _available = _function("bounded_semaphore_available", c_uint32)
    _limit = _function("bounded_semaphore_limit", c_uint32)

    @property
    def _initial_value(self):
        return self._limit(self._handle)

    def _too_many(self):
        return ValueError("Semaphore released too many times")

    def _state(self):
        return f"value={self._value}/{self._initial_value}"


class Event(_Primitive):
    _new = _constructor("event_new")
    _free = _function("event_free", None)
    _set = _function("event_set", None)
    _clear = _function("event_clear", None)
    _is_set = _function("event_is_set", c_bool)
    _wait = _function("event_wait", c_bool, _TIMEOUT)

    def __init__(self):
        self._handle = self._new()

    def is_set(self):
        return self._is_set(self._handle)

    def set(self):
        self._set(self._handle)

    def clear(self):
        self._clear(self._handle)

    def wait(self, timeout=None):
        return self._wait(self._handle, _timeout(timeout))

    def _state(self):
        return "set" if self.is_set() else "unset"


class BrokenBarrierError(RuntimeError):
    pass


class Barrier(_Primitive):
    _new = _constructor("barrier_new", c_uint32, _CALLBACK)
    _free = _function("barrier_free", None)
    _wait = _function("barrier_wait", c_int64, _TIMEOUT)
    _abort = _function("barrier_abort", None)
    _reset = _function("barrier_reset", None)
    _parties = _function("barrier_parties", c_uint32)
    _waiting = _function("barrier_waiting", c_size_t)
    _is_broken = _function("barrier_is_broken", c_bool)

    def __init__(self, parties, action=None, timeout=None):
        if parties < 1:
            raise ValueError("parties must be > 0")
        if parties > _MOST:
            raise OverflowError("there are too many parties")
        self._action = None if action is None else _Callback(action)
        self._timeout = timeout
        pointer = _CALLBACK() if action is None else self._action.pointer
        self._handle = self._new(parties, pointer)

    def wait(self, timeout=None):
        index = self._wait(self._handle, _timeout(self._timeout if timeout is None else timeout))
        if index == _BARRIER_BROKEN:
            raise BrokenBarrierError
        if index == _BARRIER_RAISED:
            raise self._action.error()
        return index

    def reset(self):
        self._reset(self._handle)

    def abort(self):
        self._abort(self._handle)

    @property
    def parties(self):
        return self._parties(self._handle)

    @property
    def n_waiting(self):
        return self._waiting(self._handle)

    @property
    def broken(self):
        return self._is_broken(self._handle)

    def _state(self):
        return "broken" if self.broken else f"waiters={self.n_waiting}/{self.parties}"
