"""Jobs: large actions of staff that run in small steps, outside of the web requests.

`actions.py` lists the actions, `creation.py` starts a job, `runner.py` runs jobs, `pages.py` shows them."""
