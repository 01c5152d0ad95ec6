"""Several threads may be the first to use OpenVINO in a process."""

import subprocess
import sys

# In processes of its own: only the first tensors of a process can lock each other.
SEVERAL_THREADS_FIRST = """
import sys
import threading
import numpy as np
from onnx import TensorProto, helper
from sayso.vision.runtime import OpenVinoNetwork

sys.setswitchinterval(1e-6)
shape = [1, 3, 32, 32]
ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("in", "out")]
graph = helper.make_graph([helper.make_node("Relu", ["in"], ["out"])], "tiny", ends[:1], ends[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
network = OpenVinoNetwork(model.SerializeToString, threads=2, streams=2)
together = threading.Barrier(6)


def run():
    together.wait()
    network(np.zeros(shape, np.float32))


threads = [threading.Thread(target=run) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_threads_that_are_first_together_do_not_wait_for_each_other_for_ever() -> None:
    for _ in range(4):
        subprocess.run([sys.executable, "-c", SEVERAL_THREADS_FIRST], check=True, timeout=60)  # noqa: S603 - this Python on the lines above
