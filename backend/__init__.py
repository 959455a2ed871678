"""Everything that is true without a chatbot: knowledge, appeals, people, storage and the API."""
