"""Rosters (花名册): files of many people in a layout that is data, read row by row, and their error files.

``reading.open_roster`` tells at once whether a file can be taken at all; its lines are then read one
by one (csv or xlsx), and ``entries`` turns each into values or everything that is wrong with it.
"""
