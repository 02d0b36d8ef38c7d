"""The demo: known people are looked for in photographs, with pictures, a report and a clock."""
