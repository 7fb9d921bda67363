import Foundation
import Settings
import SystemPackage
import Testing

@Suite("Settings of the shell project")
struct ShellAssignmentsTests {
  @Test(
    "values are read as a shell would assign them",
    arguments: [
      ("X=1.2.3", "1.2.3"), ("X=", ""), ("X=''", ""), ("X='a b' # c", "a b"),
      (#"X="a \"b\" \$c""#, #"a "b" $c"#),
      (#"X=a\ b"#, "a b"), ("X=a#b", "a#b"), ("  export X=1", "1"), ("readonly X=1", "1"),
      ("declare -r X=1", "1"),
      ("X=1; X=2", "2"), ("X=${Y:-2.29.1}", "2.29.1"), ("X=${SET:-2.29.1}", "from outside"),
      ("X=${EMPTY:-a}", "a"), ("X=${EMPTY-a}", ""), (#"X=${Y:-"my registry.io"}"#, "my registry.io"),
      ("X=${Y:-'a b'}", "a b"), ("X=${Y:-${Z:-deep}}", "deep"), ("Y=1\nX=v$Y.0", "v1.0"),
      (#"Y=1; X="v${Y}""#, "v1"),
      ("X=${SET:+yes}", "yes"), ("X=${Y:+yes}", ""), (": ${X:=3}", "3"), (#": "${X:=a b}""#, "a b"),
      ("X=(a 'b c' d)", "a b c d"), ("X=(\n  a # one\n  b\n)", "a b"), ("X=(a)\nX+=(b)", "a b"),
      ("X=a\nX+=b", "ab"), (#"Y=(a b); X="${Y[@]}""#, "a b"), ("X=a\\\nb", "ab"), ("X=1\r\nY=2\r\n", "1"),
      ("# X=0\nX=1", "1"), ("if true; then X=2; fi\nX=1", "1"), ("f() {\n  X=2\n}\nX=1", "1"),
    ])
  func value(_ script: String, _ expected: String) {
    let found = ShellAssignments(script, environment: ["SET": "from outside", "EMPTY": ""])
    #expect(found.text("X") == expected, "\(script)")
  }

  @Test(
    "what only running the script would tell is not known",
    arguments: [
      "X=$(uname -m)", "X=`uname -m`", "X=v$(cat version)", "Y=$(date); X=$Y", "X=${Y#v}", "X=1 make",
      "if [ -e /etc/x ]; then\n  X=1\nfi", "f() {\n  X=1\n}", "function f {\n X=1\n}",
      "case $Y in a) X=1 ;; esac",
      "for i in 1 2; do X=$i; done", "#X=1", "echo X=1", "[ -n \"$Y\" ] && X=1", "echo '\nX=1'", "X=(a $(b))",
    ])
  func unknown(_ script: String) {
    #expect(ShellAssignments(script).text("X") == nil, "\(script)")
  }

  @Test("nothing in it is run, and bad text is no danger")
  func hostile() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    for script in ["X=$(touch \(file))", "touch \(file)", "X=`touch \(file)`", "X=${Y:-$(touch \(file))}"] {
      _ = ShellAssignments(script)
    }
    #expect(!FileManager.default.fileExists(atPath: file))
    for script in ["X='", "X=\"", "X=${", "X=${Y:-", "X=(", "X=$(", "X=\\", "${", "X=a;;;)", "}{", "X+="] {
      _ = ShellAssignments(script)
    }
  }

  @Test("they are settings, with the line that they come from, below every other source")
  func settings() throws {
    let script = """
      KUBESPRAY_VERSION=${KUBESPRAY_VERSION:-2.29.1}
      #KUBESPRAY_VERSION=master
      CONTAINERD_VERSION=2.1.5
      REGISTRY_PORT=${REGISTRY_PORT:-36000}
      ADDITIONAL_CONTAINER_REGISTRY_LIST=${ADDITIONAL_CONTAINER_REGISTRY_LIST:-"a.example b.example"}
      OUTPUTS_DIR=/nobody/asked
      IMAGE_ARCH=$(dpkg --print-architecture)
      """
    let shell = ShellSettings(path: "config.sh", assignments: ShellAssignments(script))
    let configuration = try Configuration.resolve(
      shell: shell, defaultFile: nil, environment: ["REGISTRY_PORT": "37000"])
    #expect(configuration.kubespray.version == "2.29.1")
    #expect(configuration.origin(of: "kubespray.version") == .file("config.sh", line: 1))
    #expect(configuration.versions.containerd == "2.1.5")
    #expect(configuration.registry.additional == ["a.example", "b.example"])
    #expect(configuration.registry.port == 37000)
    #expect(configuration.architecture == nil)
    #expect(configuration.outputs.string == "outputs")
  }

  @Test("a value that cannot be is an error with file and line")
  func badValue() {
    let shell = ShellSettings(
      path: "config.sh", assignments: ShellAssignments("\nREGISTRY_PORT=${REGISTRY_PORT:-99999}"))
    let error = #expect(throws: ConfigurationError.self) {
      try Configuration.resolve(shell: shell, defaultFile: nil, environment: [:])
    }
    #expect(error?.description.contains("config.sh:2") == true)
    #expect(error?.description.contains("registry.port") == true)
  }

  @Test("the config.sh of a bundle says the same to bash, and reads back")
  func written() throws {
    var configuration = Configuration()
    configuration.kubespray.version = "2.30.0"
    configuration.versions.containerd = "2.2.1"
    configuration.registry.port = 36000
    configuration.registry.additional = ["a.example", "b.example:5000"]
    configuration.architecture = "arm64"
    let text = configuration.shellText()
    let names = [
      "KUBESPRAY_VERSION", "CONTAINERD_VERSION", "NGINX_VERSION", "REGISTRY_PORT", "IMAGE_ARCH",
      "ADDITIONAL_CONTAINER_REGISTRY_LIST",
    ]
    let found = ShellAssignments(text)
    let bash = Process()
    bash.executableURL = URL(fileURLWithPath: "/bin/bash")
    bash.arguments = ["-c", text + names.map { "echo \"$\($0)\"" }.joined(separator: "\n")]
    bash.environment = [:]
    let pipe = Pipe()
    bash.standardOutput = pipe
    try bash.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    bash.waitUntilExit()
    #expect(output.split(separator: "\n").map(String.init) == names.map { found.text($0) })
    #expect(found.text("ADDITIONAL_CONTAINER_REGISTRY_LIST") == "a.example b.example:5000")
    #expect(found.text("CONTAINERD_VERSION") == "2.2.1")
  }
}
