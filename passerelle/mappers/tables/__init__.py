"""Tables for people: CSV and XLSX."""
