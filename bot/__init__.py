"""The dialogue process: understands, decides, lets the actions ask the backend; never imports `backend`."""
