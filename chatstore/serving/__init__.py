"""The web server: gunicorn with an event loop for the network, and a few threads for the application.

    socket ↔ Connection (deadlines) ↔ Dispatcher (one event loop) ↔ Threads (the WSGI application)

The event loop reads a request to its end. Then a thread answers it, as under any WSGI server. Then the event loop
sends the answer. So a client that sends or reads slowly occupies memory within bounds, but no thread. The event loop
iterates an EventStream by itself. docs/decisions/0021-serving.md has the reasons.

| module       | contains                                                                                   |
|--------------|--------------------------------------------------------------------------------------------|
| worker       | gunicorn's worker process: accepts connections, stops gracefully                           |
| connection   | one connection: gunicorn's HTTP parser, with deadlines for clients                         |
| dispatcher   | the ASGI application: one request from its body to the end of its answer                   |
| environ      | the WSGI environ of a request                                                              |
| request_body | reads the body of a request into memory, within limits                                     |
| threads      | the threads that run the application                                                       |
| transfers    | sends answers that a thread produces piece by piece, and large answers                     |
| streams      | follows EventStreams                                                                       |
"""
