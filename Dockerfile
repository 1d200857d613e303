# CPU image: docker build -t cemai-opt . && docker run --rm -v "$PWD:/work" cemai-opt optimize --data machine.csv --target wear
# PyPI's torch brings CUDA libraries of several GB; --build-arg PIP_EXTRA_INDEX_URL=... of PyTorch's CPU builds avoids them.
# Energy counters are not visible in a container, unless you mount them: -v /sys/class/powercap:/sys/class/powercap:ro
FROM python:3.11-slim
ARG PIP_EXTRA_INDEX_URL
COPY . /src
RUN pip install --no-cache-dir -c /src/constraints.txt '/src[boost,deep,large,report,dashboard,export,hdf5,onnx,dask,postgresql]' \
 && rm -rf /src \
 && useradd --create-home --uid 1000 user
USER user
WORKDIR /work
ENTRYPOINT ["cemai-opt"]
