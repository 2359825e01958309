"""The scheduler of Tidewheel: sends reminders, frees places that were not paid for, and fetches tide data.

Only one scheduler may run at a time. It holds a lock in the table ``queue_lock`` which it renews every
60 seconds and which expires after 300 seconds.
"""
import datetime
import logging

LOCK_SECONDS = 300
RENEW_SECONDS = 60
MAX_RETRIES = 7

log = logging.getLogger("tidewheel.scheduler")


class QueueLocked(Exception):
    """Raised when another scheduler holds the lock (error TW-117)."""


def backoff(attempt):
    """Return the seconds to wait before the given attempt: 2, 4, 8 ... but never more than 90.

    >>> backoff(1), backoff(3), backoff(10)
    (2, 8, 90)
    """
    return min(2 ** attempt, 90)


def free_unpaid(bookings, now, hours=48):
    """Free the places of bookings that have not been paid ``hours`` hours after they were made.

    Bookings of members are left alone, because they are billed once a month. The guest gets a mail with
    the template ``freed.txt``. Returns the list of freed bookings.
    """
    freed = []
    for booking in bookings:
        if booking.paid or booking.member:
            continue
        if now - booking.made > datetime.timedelta(hours=hours):
            booking.state = "freed"
            freed.append(booking)
            log.info("freed booking %s", booking.number)
    return freed


def reminder_times(start, kind):
    """When to remind the guest: berths 24 hours before, stages 72 hours before, ferries 3 hours before."""
    hours = {"berth": 24, "stage": 72, "ferry": 3}[kind]
    return start - datetime.timedelta(hours=hours)


def merge_tides(old, new):
    """Merge two tide tables. Measured values win over predicted ones, newer predictions over older ones.

    Gaps of more than seven hours are not filled in, since between two high waters there are about twelve
    and a half hours and a straight line would be badly wrong.
    """
    merged = dict(old)
    for moment, value in new.items():
        if moment not in merged or value.measured or not merged[moment].measured:
            merged[moment] = value
    return merged
