# The book of the records, served on port 8000; `docker run --rm lil make test` runs the tests instead.
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends chromium make && rm -rf /var/lib/apt/lists/*
WORKDIR /lil
COPY . .
RUN make install
RUN make book MODE=recorded
EXPOSE 8000
CMD [".venv/bin/python", "-m", "http.server", "8000", "--directory", "_build/html"]
