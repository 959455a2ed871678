"""What the clock does by itself: reminders, messages on their way, penalties, time limits beside 135."""
