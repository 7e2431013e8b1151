"""Large actions of staff. A job runs them in small steps, outside of the web requests.

`acts.py` lists the actions, `creation.py` starts a job, `runner.py` runs jobs, `pages.py` shows them."""
