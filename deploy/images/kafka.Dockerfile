# Apache Kafka from its published jars under the name of the official image, started as that one is.
FROM yangguang-base:bookworm
RUN mkdir -p /usr/share/man/man1 && apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home appuser \
    && install -d -o appuser -g appuser /var/lib/kafka/data /etc/kafka/docker /opt/kafka/config
COPY libs /opt/kafka/libs
COPY kafka-run /etc/kafka/docker/run
VOLUME /var/lib/kafka/data
USER appuser
CMD ["/etc/kafka/docker/run"]
