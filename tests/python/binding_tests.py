"""What CPython's cases do not ask, and the binding has to do as Python does.

Each case runs on `threading` or `queue`, too, so that what it demands is what Python does. Attributes: `module`.
"""

import gc
import threading
import time
import unittest
import weakref

A_MOMENT = 0.01


def run(function):
    """Runs it in a thread of its own, to the end. What it raises is a failure."""
    raised = []

    def target():
        try:
            function()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


class Thread(threading.Thread):
    """A thread that has been started, with what its function returns."""

    def __init__(self, function):
        super().__init__(daemon=True)
        self._function = function
        self.start()

    def run(self):
        self._result = self._function()

    def result(self):
        self.join()
        return self._result


def wait_until(condition):
    while not condition():
        time.sleep(A_MOMENT)


class BindingTests(unittest.TestCase):
    def conditions(self):
        """One on a lock of each kind."""
        return [self.module.Condition(lock()) for lock in (self.module.Lock, self.module.RLock)]

    def test_timeouts_that_are_errors(self):
        for lock in self.module.Lock(), self.module.RLock():
            for arguments in (False, 0), (False, 1), (True, -2), (True, float("nan")):
                self.assertRaises(ValueError, lock.acquire, *arguments)
            self.assertRaises(OverflowError, lock.acquire, True, float("inf"))
            self.assertRaises(TypeError, lock.acquire, True, None)
            self.assertTrue(lock.acquire(False, -1))
        for condition in self.conditions():
            with condition:
                self.assertRaises(OverflowError, condition.wait, float("inf"))
        self.assertRaises(OverflowError, self.module.Event().wait, float("inf"))
        self.assertRaises(OverflowError, self.module.Semaphore(0).acquire, True, float("inf"))
        self.assertRaises(ValueError, self.module.Semaphore(1).acquire, False, 0)

    def test_timeouts_below_zero_are_zero(self):
        for condition in self.conditions():
            with condition:
                self.assertIs(condition.wait(-1), False)
                self.assertIs(condition.wait(float("nan")), False)
                self.assertIs(condition.wait_for(lambda: False, -1), False)
        self.assertIs(self.module.Event().wait(-1), False)
        self.assertIs(self.module.Semaphore(0).acquire(True, -1), False)
        self.assertRaises(self.module.BrokenBarrierError, self.module.Barrier(2).wait, -1)

    def test_results_are_booleans(self):
        for lock in self.module.Lock(), self.module.RLock():
            self.assertIs(lock.acquire(), True)
            lock.release()
            with lock as result:
                self.assertIs(result, True)
            self.assertIsNone(lock.acquire() and lock.release())
        with self.module.Semaphore() as result:
            self.assertIs(result, True)
        event = self.module.Event()
        self.assertIsNone(event.set())
        self.assertIs(event.wait(), True)

    def test_semaphores_that_are_given_too_much(self):
        for semaphore in self.module.Semaphore(1), self.module.BoundedSemaphore(1):
            self.assertRaises(ValueError, semaphore.release, 0)
            self.assertRaises(ValueError, semaphore.release, -1)
            self.assertEqual(semaphore._value, 1)
        for many in 2, 2**32, 2**100:
            self.assertRaises(ValueError, semaphore.release, many)
            self.assertEqual(semaphore._value, 1)

    def test_a_notification_of_nobody_and_of_all(self):
        for condition in self.conditions():
            def wait():
                with condition:
                    waiting.append(None)
                    return condition.wait()

            waiting = []
            threads = [Thread(wait) for _ in range(3)]
            wait_until(lambda: len(waiting) == 3)
            with condition:
                condition.notify(0)
                condition.notify(-1)
                self.assertRegex(repr(condition), r"^<Condition\(<locked .*>, 3\)>$")
                condition.notify(2**100)
                self.assertRegex(repr(condition), r"^<Condition\(<locked .*>, 0\)>$")
            self.assertEqual([thread.result() for thread in threads], [True] * 3)

    def test_a_wait_gives_up_all_levels_and_has_them_afterwards(self):
        condition = self.module.Condition()

        def notify():
            with condition, condition:
                done.append(None)
                condition.notify()

        done = []
        for _ in range(3):
            condition.acquire()
        notifier = Thread(notify)
        self.assertTrue(condition.wait())
        self.assertEqual(len(done), 1)
        notifier.join()
        for _ in range(3):
            self.assertFalse(Thread(lambda: condition.acquire(False)).result())
            condition.release()
        self.assertRaises(RuntimeError, condition.release)

    def test_two_threads_wait_with_several_levels_each(self):
        condition = self.module.Condition()

        def wait(levels):
            for _ in range(levels):
                condition.acquire()
            waiting.append(None)
            self.assertTrue(condition.wait())
            for _ in range(levels):
                condition.release()
            self.assertRaises(RuntimeError, condition.release)
            return levels

        waiting = []
        threads = [Thread(lambda levels=levels: wait(levels)) for levels in (1, 4, 2)]
        wait_until(lambda: len(waiting) == 3)
        with condition:
            condition.notify_all()
        self.assertEqual([thread.result() for thread in threads], [1, 4, 2])

    def test_wait_for_returns_what_the_predicate_has_returned(self):
        for condition in self.conditions():
            with condition:
                self.assertEqual(condition.wait_for(lambda: "x"), "x")
                self.assertEqual(condition.wait_for(lambda: [], 0), [])

    def test_wait_for_raises_what_the_predicate_has_raised(self):
        class Error(BaseException):
            pass

        def predicate():
            asked.append(None)
            if len(asked) == 2:
                raise Error

        for condition in self.conditions():
            asked = []
            condition.acquire()
            self.assertRaises(Error, condition.wait_for, predicate, A_MOMENT)
            self.assertFalse(Thread(lambda: condition.acquire(False)).result())
            condition.release()
            self.assertTrue(Thread(lambda: condition.acquire(False)).result())

    def test_a_predicate_has_the_lock_and_may_use_the_condition(self):
        condition = self.module.Condition()

        def predicate():
            with condition:
                condition.notify()
                self.assertFalse(Thread(lambda: condition.acquire(False)).result())
                return not condition.wait(A_MOMENT)

        with condition:
            self.assertIs(condition.wait_for(predicate), True)
        self.assertRaises(RuntimeError, condition.release)

    def test_not_acquired(self):
        for lock in self.module.Lock(), self.module.RLock():
            self.assertRaises(RuntimeError, lock.release)
            with lock:
                pass
            self.assertRaises(RuntimeError, lock.release)
        for condition in self.conditions():
            for method in condition.wait, condition.notify, condition.notify_all:
                self.assertRaises(RuntimeError, method)
            self.assertRaises(RuntimeError, condition.wait_for, lambda: False)
        # Another thread has it.
        condition = self.module.Condition()
        condition.acquire()
        for method in condition.wait, condition.notify, condition.notify_all:
            run(lambda: self.assertRaises(RuntimeError, method))

    def test_an_action_that_raises_breaks_the_barrier(self):
        class Error(BaseException):
            pass

        def action():
            raise Error

        barrier = self.module.Barrier(2, action)

        def wait():
            self.assertRaises(self.module.BrokenBarrierError, barrier.wait)

        other = Thread(lambda: run(wait))
        wait_until(lambda: barrier.n_waiting == 1)
        self.assertRaises(Error, barrier.wait)
        other.join()
        self.assertTrue(barrier.broken)
        self.assertRaises(self.module.BrokenBarrierError, barrier.wait)
        barrier.reset()
        self.assertFalse(barrier.broken)
        self.assertEqual(barrier.n_waiting, 0)

    def test_an_action_is_run_before_the_round_is_over(self):
        rounds = []
        barrier = self.module.Barrier(2, lambda: rounds.append(None))
        for round in range(1, 4):
            def wait():
                index = barrier.wait()
                return index, len(rounds)

            threads = [Thread(wait), Thread(wait)]
            self.assertEqual(sorted(thread.result() for thread in threads), [(0, round), (1, round)])

    def test_a_lock_goes_though_a_thread_has_it_that_has_ended(self):
        for make in self.module.Lock, self.module.RLock:
            lock = make()
            run(lock.acquire)
            self.assertFalse(lock.acquire(False))
            lock = make()  # in the place of the old one, which goes

    def test_at_fork_reinit(self):
        for lock in self.module.Lock(), self.module.RLock(), self.module.Condition():
            run(lock.acquire)
            self.assertFalse(lock.acquire(False))
            lock._at_fork_reinit()
            self.assertTrue(lock.acquire(False))
            self.assertFalse(Thread(lambda: lock.acquire(False)).result())
            lock.release()

    def test_release_save_and_acquire_restore(self):
        lock = self.module.RLock()
        for _ in range(3):
            lock.acquire()
        state = lock._release_save()
        self.assertFalse(lock._is_owned())
        self.assertTrue(Thread(lambda: lock.acquire(False) and lock.release() is None).result())
        lock._acquire_restore(state)
        for _ in range(3):
            self.assertFalse(Thread(lambda: lock.acquire(False)).result())
            lock.release()
        self.assertRaises(RuntimeError, lock.release)


class Item:
    """One that can be watched."""


class Error(BaseException):
    pass


class Incomparable:
    """Has no order, which it says by an exception."""

    def __lt__(self, other):
        raise Error


def at_queue(queue):
    """How many threads wait at it, of Python's or of futon's."""
    if hasattr(queue, "_waiters"):
        return queue._waiters(queue._handle)
    return sum(len(line._waiters) for line in (queue.not_empty, queue.not_full, queue.all_tasks_done))


def wait_until_all_wait(queue, threads):
    """Or until one has ended: then what it was to wait for is wrong, and the case finds that out."""
    wait_until(lambda: at_queue(queue) == len(threads) or not all(thread.is_alive() for thread in threads))


class QueueBindingTests(unittest.TestCase):
    def queues(self, maxsize=0):
        """One of each order."""
        return [getattr(self.module, name)(maxsize) for name in ("Queue", "LifoQueue", "PriorityQueue")]

    def simple(self):
        if not hasattr(self.module, "SimpleQueue"):
            self.skipTest("it came with Python 3.7")
        return self.module.SimpleQueue()

    def with_shutdown(self, maxsize=0):
        if not hasattr(self.module, "ShutDown"):
            self.skipTest("it came with Python 3.13")
        return self.queues(maxsize)

    def test_timeouts_that_are_errors(self):
        for queue in self.queues(1):
            self.assertRaises(ValueError, queue.put, 1, True, -1)
            self.assertEqual(queue.qsize(), 0)
            queue.put(1)
            self.assertRaises(ValueError, queue.put, 2, timeout=-1)
            self.assertRaises(ValueError, queue.get, timeout=-0.5)
            self.assertRaises(OverflowError, queue.put, 2, timeout=float("inf"))
            self.assertEqual(queue.get(), 1)
            self.assertRaises(OverflowError, queue.get, timeout=float("inf"))

    def test_timeouts_that_do_not_matter(self):
        for queue in self.queues(1):
            self.assertRaises(self.module.Empty, queue.get, False, -1)
            queue.put(1, False, -1)
            self.assertRaises(self.module.Full, queue.put, 2, False, -1)
        for queue in self.queues():
            queue.put(1, timeout=-1)
            self.assertEqual(queue.get(timeout=0), 1)

    def test_timeouts_of_a_simple_queue(self):
        queue = self.simple()
        queue.put(1, timeout=-1)
        queue.put(2, False, -1)
        self.assertRaises(ValueError, queue.get, timeout=-1)
        self.assertEqual([queue.get(False, -1), queue.get(timeout=0)], [1, 2])
        self.assertRaises(self.module.Empty, queue.get, False, -1)

    def test_a_shutdown_comes_before_a_timeout(self):
        for queue in self.with_shutdown(1):
            queue.put(1)
            queue.shutdown()
            self.assertRaises(self.module.ShutDown, queue.put, 1, timeout=-1)
            self.assertRaises(ValueError, queue.get, timeout=-1)
            queue.get()
            self.assertRaises(self.module.ShutDown, queue.get, timeout=-1)

    def test_maxsizes_that_are_no_limit(self):
        for maxsize in 0, -1, -2**100:
            for queue in self.queues(maxsize):
                self.assertEqual(queue.maxsize, maxsize)
                self.assertFalse(queue.full())
                for number in range(10):
                    queue.put_nowait(number)
                    self.assertFalse(queue.full())

    def test_maxsize_may_be_changed(self):
        for queue, order in zip(self.queues(2), ([2, 1], [1, 2], [1, 2])):
            queue.put(2)
            queue.put(1)
            queue.maxsize = 1
            self.assertEqual((queue.maxsize, queue.qsize(), queue.full()), (1, 2, True))
            queue.maxsize = 0
            self.assertFalse(queue.full())
            self.assertEqual([queue.get(), queue.get()], order)
            self.assertEqual(queue.unfinished_tasks, 2)

    def test_any_object_is_an_item(self):
        item = Item()
        for queue in self.queues()[:2]:
            for _ in range(2):
                self.assertIsNone(queue.put(item))
            self.assertIs(queue.get(), item)
            self.assertIs(queue.get(), item)
            queue.put(None)
            self.assertIsNone(queue.get())

    def test_what_is_not_put_in_is_not_kept(self):
        for queue in self.queues(1):
            queue.put(1)
            for arguments in (False,), (True, 0), (True, A_MOMENT), (True, -1), (True, float("inf")):
                item = Item()
                errors = self.module.Full, ValueError, OverflowError
                self.assertRaises(errors, queue.put, item, *arguments)
                watch = weakref.ref(item)
                del item
                gc.collect()
                self.assertIsNone(watch())

    def test_what_is_shut_down_is_not_kept(self):
        for queue in self.with_shutdown():
            item = Item()
            queue.put(item)
            queue.shutdown(immediate=True)
            self.assertRaises(self.module.ShutDown, queue.put, item)
            watch = weakref.ref(item)
            del item
            gc.collect()
            self.assertIsNone(watch())

    def test_a_shutdown_is_for_all_who_wait(self):
        def wait(function, *arguments):
            self.assertRaises(self.module.ShutDown, function, *arguments)
            return True

        for immediate in False, True:
            for queue in self.with_shutdown(1):
                getters = [Thread(lambda: wait(queue.get)) for _ in range(2)]
                wait_until_all_wait(queue, getters)
                queue.shutdown(immediate)
                self.assertTrue(all(getter.result() for getter in getters))
            for queue in self.queues(1):
                queue.put(1)
                putters = [Thread(lambda: wait(queue.put, 1)) for _ in range(2)]
                wait_until_all_wait(queue, putters)
                queue.shutdown(immediate)
                self.assertTrue(all(putter.result() for putter in putters))

    def test_priorities_are_what_python_compares(self):
        queue = self.module.PriorityQueue()
        items = [(2, "b"), (1, "z"), (2, "a"), (0.5, "x")]
        for item in items:
            queue.put(item)
        self.assertEqual([queue.get() for _ in items], sorted(items))

    def test_a_put_raises_what_a_comparison_has_raised(self):
        queue = self.module.PriorityQueue()
        queue.put(1)
        self.assertRaises(TypeError, queue.put, "a")
        # It has been put in.
        self.assertEqual(queue.qsize(), 2)
        self.assertRaises(Error, queue.put_nowait, Incomparable())
        self.assertEqual(queue.qsize(), 3)

    def test_a_get_raises_what_a_comparison_has_raised(self):
        queue = self.module.PriorityQueue()
        queue.put(1)
        for _ in range(2):
            self.assertRaises(Error, queue.put, Incomparable())
        self.assertRaises(Error, queue.get)
        self.assertRaises(Error, self.module.PriorityQueue.put_nowait, queue, Incomparable())

    def test_a_put_that_has_waited_raises_what_its_comparison_has_raised(self):
        def put():
            self.assertRaises(Error, queue.put, Incomparable())
            return True

        queue = self.module.PriorityQueue(2)
        queue.put(1)
        queue.put(2)
        putter = Thread(put)
        wait_until_all_wait(queue, [putter])
        self.assertEqual(queue.get(), 1)
        self.assertTrue(putter.result())
        self.assertEqual(queue.qsize(), 2)
