"""The four services as operating-system processes, with mail by SMTP."""
