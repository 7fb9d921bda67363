/// What a kubespray's requirements.txt asks of Python, reduced to what evaluating variables needs.
///
/// The package `ansible` is ansible-core and 40 MB of collections; the variables need the core only. Major
/// version N of `ansible` has depended on ansible-core 2.(N+7) since version 4 (Ansible documentation, "Releases
/// and maintenance"), so the range is known without asking an index.
struct AnsibleRequirement: Sendable, Equatable {
  /// The major version of the `ansible` package; nil when requirements.txt does not pin one.
  let major: Int?
  /// The lines to install in place of requirements.txt.
  let coreLines: [String]

  /// - Parameter requirements: The text of requirements.txt.
  init(requirements: String) {
    var major: Int?
    coreLines = requirements.split(separator: "\n").map { line in
      guard
        let match = line.firstMatch(
          of: /^\s*ansible\s*[=~>]=\s*([0-9]+)(?:\.[0-9.]*)?\s*(#.*)?$/.ignoresCase()),
        let number = Int(match.1), number >= 4
      else { return String(line) }
      major = number
      return "ansible-core>=2.\(number + 7),<2.\(number + 8)"
    }
    self.major = major
  }

  /// Whether ``coreLines`` differ from the file.
  var isReduced: Bool { major != nil }

  /// The Python 3 minor versions that this Ansible supports as control node (Ansible documentation,
  /// "ansible-core support matrix").
  var pythonMinors: ClosedRange<Int> {
    switch major ?? 0 {
    case 0: 10...13
    case ...6: 8...11
    case 7, 8: 9...11
    case 9, 10: 10...12
    case 11, 12: 11...13
    default: 12...14
    }
  }
}
