# The same package and the same `herald` command that `make serve` runs and that is tested without Docker.
FROM python:3.11.13-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/herald
ENV PATH=/opt/herald/bin:$PATH
COPY requirements.lock requirements-build.lock ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements-build.lock --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY migrations migrations
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/herald --create-home herald
COPY --from=build /opt/herald /opt/herald
ENV PATH=/opt/herald/bin:$PATH PYTHONUNBUFFERED=1
USER herald
WORKDIR /var/lib/herald
EXPOSE 8000
ENTRYPOINT ["herald"]
CMD ["serve", "--host", "0.0.0.0"]
