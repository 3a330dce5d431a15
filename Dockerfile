# docker build -t xstilts . && docker run --rm -p 8888:8888 xstilts        JupyterLab; its address is printed
# docker run --rm -v "$PWD/pages:/study/_build" xstilts make book          the book, in pages/html
# A user with this name and number is what Binder asks for.
FROM python:3.11-slim
RUN apt-get update && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 jovyan && install --directory --owner=jovyan /study
WORKDIR /study
COPY --chown=jovyan . .
USER jovyan
RUN make setup CPU=1
ENV PATH="/study/.venv/bin:$PATH"
EXPOSE 8888
CMD ["make", "lab", "IP=0.0.0.0"]
