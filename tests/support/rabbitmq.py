"""A RabbitMQ of its own for a test: a private folder, free ports of loopback, Erlang's port mapper as
well; both end with the test.

    with RabbitMQ() as server:
        server.port
"""
import os
import shutil
import subprocess

import databases
import sockets

PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"


class RabbitMQ(databases.Server):
    ends_by_interrupt = False

    def __init__(self):
        super().__init__("rabbitmq")
        self.mapper = None

    @staticmethod
    def missing():
        return None if os.path.exists(PROGRAM) and shutil.which("epmd") else "needs rabbitmq-server"

    def environment(self, mapper_port):
        return {**os.environ, "HOME": self.folder, "ERL_EPMD_PORT": str(mapper_port),
                "ERL_EPMD_ADDRESS": "127.0.0.1", "RABBITMQ_NODENAME": f"test{self.port}@localhost",
                "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(self.port),
                "RABBITMQ_DIST_PORT": str(sockets.free_port()),
                "RABBITMQ_MNESIA_BASE": self.folder, "RABBITMQ_LOG_BASE": self.folder,
                "RABBITMQ_ENABLED_PLUGINS_FILE": os.path.join(self.folder, "plugins"),
                "RABBITMQ_CONFIG_FILE": os.path.join(self.folder, "settings"),
                "RABBITMQ_PID_FILE": os.path.join(self.folder, "pid"),
                "RABBITMQ_FEATURE_FLAGS_FILE": os.path.join(self.folder, "flags"),
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 -kernel inet_dist_use_interface "
                                                       "{127,0,0,1}"}

    def prepare(self):
        mapper_port = sockets.free_port()
        environment = self.environment(mapper_port)
        self.own(self.folder)
        for name, content in (("plugins", "[].\n"), ("settings.conf", "log.console = false\n")):
            path = os.path.join(self.folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
            self.own(path)
        self.mapper = subprocess.Popen(["epmd", "-port", str(mapper_port), "-address", "127.0.0.1"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       env=environment, **self.as_user())
        sockets.wait_for_socket(self.mapper, "tcp", mapper_port)
        self.start(PROGRAM, env=environment)

    def __exit__(self, *_):
        super().__exit__()
        if self.mapper is not None:
            self.mapper.kill()
            self.mapper.wait()
