import Registry
import TestServer
