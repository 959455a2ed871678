"""Who works with the assistant: roles, accounts, tokens and what each role may do."""
