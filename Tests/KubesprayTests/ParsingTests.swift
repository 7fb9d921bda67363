import Cache
import Host
import Integrity
import SystemPackage
import Testing

@testable import Kubespray

private let digits = String(repeating: "0f", count: 32)

@Suite struct ParsingTests {
  @Test(
    "Expressions are whole pieces",
    arguments: [
      ("a/{{ b }}/c", ["a/", "{{ b }}", "/c"]),
      ("{{ x['a/b'] }}/c", ["{{ x['a/b'] }}", "/c"]),
      (
        "{{ '}}' ~ \"{{\" }}-{% if a %}x{% endif %}",
        ["{{ '}}' ~ \"{{\" }}", "-", "{% if a %}", "x", "{% endif %}"]
      ),
      ("{{ open", ["{{ open"]),
      ("", []),
    ])
  func pieces(text: String, expected: [String]) {
    let template = URLTemplate(text)
    #expect(template.pieces.map(\.text) == expected)
    #expect(template.text == text)
  }

  @Test func `Slashes inside expressions separate nothing`() {
    let template = URLTemplate("{{ a['x/y'] }}/b{{ c }}/d")
    #expect(template.segments.map(\.text) == ["{{ a['x/y'] }}", "b{{ c }}", "d"])
  }

  @Test(
    "What expressions stand for",
    arguments: [
      ("{{ a }}/x/{{ b }}", "https://h/x/1", ["{{ a }}": "https://h", "{{ b }}": "1"]),
      ("v{{ a }}-{{ b }}-v{{ a }}", "v1-2-x-v1-2", ["{{ a }}": "1-2", "{{ b }}": "x"]),
      ("v{{ a }}-{{ b }}", "w1-2", nil),
    ] as [(String, String, [String: String]?)])
  func bindings(template: String, text: String, expected: [String: String]?) {
    #expect(URLTemplate(template).bindings(rendered: text) == expected)
  }

  @Test(
    "Lines that place an image",
    arguments: [
      ("      - image: \"{{ a_image_repo }}:{{ a_tag }}\"", "{{ a_image_repo }}:{{ a_tag }}"),
      ("image: quay.io/a/b:1  ", "quay.io/a/b:1"),
      ("  image:", nil),
      ("  imagePullPolicy: Always", nil),
      ("  # image: a:b", nil),
    ] as [(String, String?)])
  func imageLines(line: String, expected: String?) {
    #expect(KubesprayTree.imageValue(line[...]) == expected)
  }

  @Test(
    "Texts that name one image, and texts that do not",
    arguments: [
      ("nginx:1", "docker.io/library/nginx:1"), ("calico/node:1", "docker.io/calico/node:1"),
      ("quay.io/a:1", "quay.io/a:1"), ("my:5000/a:1", "my:5000/a:1"),
      ("a@sha256:\(digits)", "docker.io/library/a@sha256:\(digits)"),
      ("a/b", nil), ("a/b:", nil), ("a b:1", nil), ("{{ a }}:1", nil), ("host:5000/a", nil), (":1", nil),
      ("", nil), ("a@sha256:00", nil),
    ] as [(String, String?)])
  func references(text: String, expected: String?) {
    #expect(ImageName.reference(text) == expected)
  }

  @Test(
    "Ansible's requirement is reduced to its core",
    arguments: [
      ("ansible==10.7.0", "ansible-core>=2.17,<2.18", 10...12),
      ("ansible == 11.13.0  # pinned", "ansible-core>=2.18,<2.19", 11...13),
      ("Ansible>=9", "ansible-core>=2.16,<2.17", 10...12),
      ("ansible-core==2.17.1", "ansible-core==2.17.1", 10...13),
      ("ansible", "ansible", 10...13),
      ("ansible==99.0.0", "ansible-core>=2.106,<2.107", 12...14),
    ])
  func requirement(line: String, expected: String, minors: ClosedRange<Int>) {
    let requirement = AnsibleRequirement(requirements: "# a comment\n\(line)\nnetaddr==1.3.0\n")
    #expect(requirement.coreLines == ["# a comment", expected, "netaddr==1.3.0"])
    #expect(requirement.pythonMinors == minors)
  }

  @Test(
    "Extra variables keep their types and versions",
    arguments: [
      (["a": "true"], "{\"a\": true}\n"), (["a": "1.30"], "{\"a\": \"1.30\"}\n"),
      (["a": "[1, 2]"], "{\"a\": [1, 2]}\n"), (["a": "[1, 2"], "{\"a\": \"[1, 2\"}\n"),
      (["a": "{{ b }}"], "{\"a\": \"{{ b }}\"}\n"),
      (["b": "x\"y", "a": ""], "{\"a\": \"\", \"b\": \"x\\\"y\"}\n"),
    ])
  func extraVariables(variables: [String: String], expected: String) {
    #expect(ExtraVariables.json(variables) == expected)
  }

  @Test(
    "Messages of Ansible about missing collections",
    arguments: [
      ("Could not load \"ansible.utils.ipwrap\": unable to locate collection ansible.utils", true),
      ("No filter named 'community.general.json_query' found.", true),
      ("'x' is undefined", false),
    ])
  func missingCollections(message: String, expected: Bool) {
    #expect(CatalogError.isMissingCollection(message) == expected)
  }
}

@Suite struct PythonChoiceTests {
  private func python(_ minor: Int, pip: [Int] = [23, 2], ensurepip: Bool = true) -> PythonInterpreter {
    PythonInterpreter(
      path: FilePath("/usr/bin/python3.\(minor)"), version: [3, minor, 1], hasEnsurepip: ensurepip, pip: pip)
  }

  @Test(
    "The newest supported one wins, then the oldest newer one",
    arguments: [
      ([9, 11, 12, 13], 12), ([11, 10], 11), ([13, 14], 13), ([9, 13], 13),
    ])
  func choice(minors: [Int], expected: Int) throws {
    let chosen = try PythonInterpreter.choose(among: minors.map { python($0) }, for: 10...12, family: .debian)
    #expect(chosen.minor == expected)
  }

  @Test func `Without a fitting Python the message names what to install`() throws {
    let error = #expect(throws: PythonEnvironmentError.self) {
      try PythonInterpreter.choose(among: [python(9)], for: 10...12, family: .redHat)
    }
    let text = try #require(error).description
    #expect(text.contains("found 3.9.1"))
  }

  @Test func `A Python without pip and ensurepip is passed over, or named when it is the only one`() throws {
    let bare = python(12, pip: [], ensurepip: false)
    #expect(
      try PythonInterpreter.choose(among: [bare, python(11)], for: 10...12, family: .debian).minor == 11)
    let error = #expect(throws: PythonEnvironmentError.self) {
      try PythonInterpreter.choose(among: [bare], for: 10...12, family: .debian)
    }
    #expect(try #require(error).description.contains("neither pip nor ensurepip"))
  }

  @Test func `An environment is made once`() async throws {
    let tree = try KubesprayTree(miniTree)
    let first = try await Environments.shared.environment(for: tree)
    let lines = Lines()
    let second = try await PythonEnvironment.prepare(for: tree, cache: try Environments.cache) {
      lines.add($0)
    }
    #expect(second.path == first.path)
    #expect(lines.all == ["the Python environment is ready"])
    #expect(first.pythonVersion.hasPrefix("3."))
  }

  @Test func `An environment of pinned packages is made of those files, and of no others`() async throws {
    let tree = try KubesprayTree(miniTree)
    let first = try await Environments.shared.environment(for: tree)
    var pinned = try #require(first.packages)
    #expect(pinned.packages.contains { $0.name == "ansible-core" })
    let second = try await PythonEnvironment.prepare(
      for: tree, cache: try Environments.cache, pinned: pinned)
    #expect(second.path != first.path && second.packages == pinned)
    pinned.packages[0].sha256 = Digest(of: [0])
    try await withTemporaryFolder { folder in
      let error = await #expect(throws: PythonEnvironmentError.self) {
        try await PythonEnvironment.prepare(for: tree, cache: try Cache(folder), pinned: pinned)
      }
      #expect(
        error?.description.contains("THESE PACKAGES DO NOT MATCH THE HASHES") == true, "\(error as Any)")
    }
    pinned.python = "3.2"
    let error = await #expect(throws: PythonEnvironmentError.self) {
      try await PythonEnvironment.prepare(for: tree, cache: try Environments.cache, pinned: pinned)
    }
    #expect(error?.description.contains("Python 3.2") == true)
  }

  @Test func `A program that is no Python is refused by name`() async throws {
    let tree = try KubesprayTree(miniTree)
    let error = await #expect(throws: PythonEnvironmentError.self) {
      try await PythonEnvironment.prepare(for: tree, interpreter: "/bin/true", cache: try Environments.cache)
    }
    #expect(try #require(error).description.contains("/bin/true"))
  }
}
