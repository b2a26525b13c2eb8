"""Shared calendars: out as iCalendar, calendars that come in, answers, conflicts."""
