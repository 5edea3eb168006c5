"""What is measured, against what, and the record that stays of it."""
