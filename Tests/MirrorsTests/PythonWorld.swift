import Bundle
import Cache
import Files
import Foundation
import Host
import SystemPackage
import TestServer
import Testing

@testable import Mirrors

/// A Python environment with pip, and the private pip of the resolver: made once for all tests, of the index that this
/// machine's pip is configured for.
enum SharedPip {
  static let folder = FilePath(
    FileManager.default.temporaryDirectory.path + "/kubespray-offline-tests-pip-\(getpid())")
  private static let ready = Task {
    atexit { try? FileManager.default.removeItem(atPath: SharedPip.folder.string) }
    try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
    _ = try await Command("python3", ["-m", "venv", folder.appending("venv").string]).output()
    try await PrivatePip(
      interpreter: python, pip: pip, cache: try Cache(folder),
      memory: ProgramMemory(folder: folder.appending("programs"))
    ).prepare()
  }

  static var python: FilePath { folder.appending("venv/bin/python") }

  static func pip(_ arguments: [String]) -> Command {
    Command(python.string, ["-m", "pip", "--no-input"] + arguments)
  }

  static func prepare() async throws { try await ready.value }
}

/// A folder with packages made for a test, the index server that offers them, and mirrors of it.
final class PythonWorld {
  let folder: FilePath
  let server: TestServer
  var requirements: [FilePath] = []
  /// What pip is configured with.
  var environment: [String: String?]

  init() async throws {
    try await SharedPip.prepare()
    folder = try createTemporaryFolder(named: "python-test")
    server = try TestServer()
    environment = [
      "PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": nil, "PIP_EXTRA_INDEX_URL": nil, "PIP_NO_INDEX": nil,
      "PIP_INDEX_URL": server.url("/simple/"), "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "0",
      "no_proxy": "127.0.0.1", "NETRC": "/dev/null",
    ]
  }

  deinit {
    server.stop()
    try? removeTree(folder)
  }

  /// Makes packages in `into` and serves them all, unless they shall only lie there.
  ///
  /// - Parameter packages: Each a line `FILENAME | Requires-Python | requirement | requirement ...`.
  func make(_ packages: [String], into name: String = "packages", served: Bool = true) async throws {
    let target = folder.appending(name)
    let input = ([target.string] + packages).joined(separator: "\n")
    let projects = try await Command("python3", ["-c", Self.maker], input: input).output()
    guard served else { return }
    for line in projects.split(separator: "\n") {
      let words = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      let content = try Data(contentsOf: URL(filePath: target.appending(words[1]).string))
      let unreserved = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
      let quoted = words[1].addingPercentEncoding(withAllowedCharacters: unreserved) ?? words[1]
      links[words[0], default: ""] +=
        "<a href=\"/files/\(quoted)#sha256=\(words[2])\" data-requires-python=\"\(words[3])\">\(words[1])</a>\n"
      server.serve(
        "/files/\(quoted)",
        TestServer.Resource(TestServer.Body([UInt8](content)), requiredAuthorization: authorization))
    }
    for (project, text) in links { serve(project, text) }
  }

  /// What the server asks for.
  var authorization: String?
  private var links: [String: String] = [:]

  private func serve(_ project: String, _ links: String) {
    let page = TestServer.Body("<!DOCTYPE html><html><body>\n\(links)</body></html>")
    let authorization = authorization
    server.route("/simple/\(project)/") { request in
      var answer = TestServer.Resource(page, requiredAuthorization: authorization).response(to: request)
      answer.headers.append(("Content-Type", "text/html"))
      return answer
    }
  }

  /// A requirement file.
  func require(_ lines: String...) throws {
    let path = folder.appending("requirements-\(requirements.count).txt")
    try lines.joined(separator: "\n").write(toFile: path.string, atomically: true, encoding: .utf8)
    requirements.append(path)
  }

  func mirror(
    pythons: [Int] = [12], architectures: [Architecture] = [.amd64], glibcMinor: Int = 31,
    extra: [String] = [],
    sources: Bool = false
  ) throws -> PythonIndex {
    var index = PythonIndex(
      folder: try BundlePath("pypi"), pythons: pythons, architectures: architectures, glibcMinor: glibcMinor,
      requirements: requirements, extra: extra, sourceDistributions: sources, interpreter: SharedPip.python,
      pip: SharedPip.pip, cache: try Cache(SharedPip.folder))
    index.pip.environment = environment
    return index
  }

  /// Makes wheels and source distributions; building one of the latter leaves a file BUILT.
  private static let maker = #"""
    import hashlib, io, os, sys, tarfile, zipfile
    folder, *lines = sys.stdin.read().splitlines()
    os.makedirs(folder, exist_ok=True)
    for line in lines:
        name, requires_python, *needs = [part.strip() for part in line.split("|")] + ([""] if "|" not in line else [])
        project, version = name.removesuffix(".tar.gz").split("-")[:2]
        metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
        metadata += f"Requires-Python: {requires_python}\n" if requires_python else ""
        metadata += "".join(f"Requires-Dist: {need}\n" for need in needs)
        path = os.path.join(folder, name)
        if name.endswith(".whl"):
            info = f"{project}-{version}.dist-info"
            tags = name.removesuffix(".whl").split("-")[2:]
            expanded = "".join(f"Tag: {a}-{b}-{c}\n" for a in tags[0].split(".") for b in tags[1].split(".") for c in tags[2].split("."))
            with zipfile.ZipFile(path, "w") as wheel:
                wheel.writestr(f"{project}.py", f"version = {version!r}\n")
                wheel.writestr(f"{info}/METADATA", metadata)
                wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n{expanded}")
                wheel.writestr(f"{info}/RECORD", f"{project}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
        else:
            with tarfile.open(path, "w:gz") as source:
                for member, text in (("PKG-INFO", metadata), ("setup.py", f"open({folder!r} + '/BUILT', 'w')\n")):
                    header = tarfile.TarInfo(f"{project}-{version}/{member}")
                    header.size = len(text)
                    source.addfile(header, io.BytesIO(text.encode()))
        digest = hashlib.sha256(open(path, "rb").read()).hexdigest()
        print(project.lower().replace("_", "-").replace(".", "-"), name, digest, requires_python.replace("<", "&lt;").replace(">", "&gt;"), sep="\t")
    """#
}

extension MirrorResolution {
  /// The names of the files.
  var names: [String] { files.map { String($0.path.dropFirst("files/".count)) } }
}
