"""What people see: the page of Take or Pay. No economics here."""
