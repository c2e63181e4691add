"""What users would run instead of the action: azure-ai-ml submits the job of a file and does not wait for it."""

import os
import socket
import sys
from urllib.parse import urlsplit

from azure.ai.ml import MLClient, load_job
from azure.ai.ml import _azure_environments as clouds
from azure.identity import ClientSecretCredential, __version__ as IDENTITY_VERSION

# The public cloud is in the client's own table; so is this one, or the client would ask for it again and again.
origin = os.environ["AZURE_AUTHORITY_HOST"]
clouds._environments["BenchCloud"] = {
    **clouds._environments["AzureCloud"],
    clouds.EndpointURLS.RESOURCE_MANAGER_ENDPOINT: origin,
    clouds.EndpointURLS.ACTIVE_DIRECTORY_ENDPOINT: origin,
    clouds.EndpointURLS.STORAGE_ENDPOINT: "core.localhost:%s" % urlsplit(origin).port,
}
os.environ["AZUREML_CURRENT_CLOUD"] = "BenchCloud"
# Names below localhost are this machine (RFC 6761), though many resolvers do not know it.
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: resolve(
    "127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **more
)

# Debian's azure-identity has an earlier name for it.
discovery = "instance_discovery" if IDENTITY_VERSION == "1.13.0b2" else "disable_instance_discovery"
credential = ClientSecretCredential(
    os.environ["AZURE_TENANT_ID"],
    os.environ["AZURE_CLIENT_ID"],
    os.environ["AZURE_CLIENT_SECRET"],
    authority=origin,
    **{discovery: discovery != "instance_discovery"},
)
client = MLClient(
    credential,
    os.environ["BENCH_SUBSCRIPTION"],
    os.environ["BENCH_GROUP"],
    os.environ["BENCH_WORKSPACE"],
    enable_telemetry=False,
)
client.jobs.create_or_update(load_job(sys.argv[1]))
