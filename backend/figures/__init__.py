"""What the appeals add up to: rates, the ranking that is shown every month, liaisons' scores, exports."""
