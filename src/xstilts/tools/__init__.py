"""What people do around a study: fetch rows, translate, plan, verify, clean, hand in."""
