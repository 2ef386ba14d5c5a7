"""The case file every service keeps the same way: cases, their record, notices, documents."""
