"""Appointments to and from iCalendar (RFC 5545): calendars out, calendars in, recurrences."""
