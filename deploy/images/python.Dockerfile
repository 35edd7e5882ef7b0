# Debian's Python 3.11 under the name of the official image.
FROM yangguang-base:bookworm
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3.11 python3.11-venv tzdata \
    && rm -rf /var/lib/apt/lists/* && ln -s /usr/bin/python3.11 /usr/local/bin/python
CMD ["python"]
