"""The routes of NextAuth that the pages of contracts B and D call in the browser, over allauth's sessions.

Sources: NextAuth's REST API (https://next-auth.js.org/getting-started/rest-api) and what `next-auth/react` of the
versions 4 and 5 sends. Left out: the callbacks of providers, because people sign in on our own page."""
