import Files
import Integrity
import SystemPackage

/// What Ansible reads of an inventory: its files and those of `group_vars` and `host_vars`, links followed.
struct InventoryContent {
  /// Each file with its digest, in order of names.
  private(set) var parts: [String] = []
  /// Whether what Ansible makes of it depends on more than its files: a program that is run, a plugin, or templates that
  /// look at this machine, the clock or the network.
  private(set) var readsWorld = false
  /// Files that are encrypted as a whole, relative to ``folder``.
  private(set) var encrypted: [String] = []
  /// Whether anything in it is encrypted.
  private(set) var hasSecrets = false
  /// Files that this project has written for the machines without internet, relative to ``folder``.
  private(set) var ownSettings: [String] = []
  /// Names of folders of variables that are files instead, as a link is after a copy that knows no links.
  var flattened: [String] {
    Self.variableFolders.filter { fileExists(folder.appending($0)) && !folderExists(folder.appending($0)) }
  }

  /// The folder whose `group_vars` and `host_vars` count. A link to an inventory file is not followed: Ansible looks
  /// beside the link.
  let folder: FilePath

  /// The folders beside an inventory in which variables are.
  static let variableFolders = ["group_vars", "host_vars"]
  /// What kubespray writes into an inventory's folder, and its ansible.cfg tells Ansible to pass over; and what is no
  /// inventory at all.
  private static let passedOver: Set = ["artifacts", "credentials", ".git"]
  /// A larger file is none that people write; what it holds is not looked at.
  private static let limit: Int64 = 8 << 20

  /// - Throws: `FileError` when it cannot be read, `TextEncodingError` when a file is in UTF-16, of which Ansible says only that
  ///   "surrogates" are not allowed.
  init(_ inventory: FilePath) throws {
    let info = try FileInfo(inventory, followsLinks: true)
    guard info.kind != .folder else {
      folder = inventory
      parts.append("folder")
      try walk(inventory, "", above: [])
      return
    }
    let parent = inventory.removingLastComponent()
    folder = parent.isEmpty ? "." : parent
    let name = inventory.lastComponent?.string ?? ""
    parts.append(name)
    // A file may lie anywhere, such as in a home folder; only what Ansible reads for it counts.
    try add(inventory, name, info)
    for name in Self.variableFolders where folderExists(folder.appending(name)) {
      try walk(folder.appending(name), name, above: [])
    }
  }

  private mutating func walk(_ path: FilePath, _ name: String, above: [FileInfo]) throws {
    let own = try FileInfo(path, followsLinks: true)
    // A link to a folder that it lies in leads nowhere new.
    guard !above.contains(where: { $0.inode == own.inode && $0.device == own.device }) else { return }
    for child in try listFolder(path) where !(name.isEmpty && Self.passedOver.contains(child)) {
      let place = path.appending(child)
      let full = name.isEmpty ? child : "\(name)/\(child)"
      guard let info = try? FileInfo(place, followsLinks: true) else {
        parts.append("\(full) leads nowhere")
        continue
      }
      switch info.kind {
      case .folder: try walk(place, full, above: above + [own])
      case .file: try add(place, full, info)
      case .link, .other: parts.append("\(full) is something else")
      }
    }
  }

  /// Whether a file begins as texts in UTF-16 and UTF-32 do.
  private static func isWide(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff])
  }

  private mutating func add(_ path: FilePath, _ name: String, _ info: FileInfo) throws {
    guard info.kind == .file, info.size <= Self.limit else {
      // A pipe, as of a shell's <(...), can be read once; whatever it is, it is not known.
      readsWorld = true
      if info.kind == .file { parts.append("\(name) \(try Digest(ofFile: path).hex)") }
      return
    }
    let bytes = try readBytes(path)
    guard !Self.isWide(bytes) else { throw TextEncodingError(path: path) }
    parts.append("\(name) \(Digest(of: bytes).hex)")
    let text = EvaluatedText(bytes)
    hasSecrets = hasSecrets || text.hasSecrets
    readsWorld = readsWorld || text.readsWorld
    if Self.variableFolders.contains(where: { name.hasPrefix($0 + "/") }) {
      if text.isEncrypted { encrypted.append(name) }
      if OfflineEnvironment.isOwn(String(decoding: bytes, as: UTF8.self)) { ownSettings.append(name) }
    } else {
      // A source of hosts: Ansible runs what is a program, and hands over what names a plugin.
      readsWorld = readsWorld || isExecutable(path) || text.isScript || text.namesPlugin
    }
  }
}

/// A text in which Ansible evaluates templates.
struct EvaluatedText {
  /// Whether all of it is encrypted.
  let isEncrypted: Bool
  /// Whether anything in it is encrypted.
  let hasSecrets: Bool
  /// Whether it is a program for an interpreter.
  let isScript: Bool
  /// Whether it is the configuration of an inventory plugin.
  let namesPlugin: Bool
  /// Whether its templates may look at more than variables.
  let readsWorld: Bool

  private static let vault = Array("$ANSIBLE_VAULT;".utf8)
  /// What lets a template see files, the environment, the clock or the network: lookups, the filters and tests about
  /// files, and templates that include others.
  private static let looking: Set<String> = [
    "lookup", "query", "q", "fileglob", "expandvars", "expanduser", "realpath", "now", "include", "import",
    "extends",
    "file", "directory", "exists", "link", "mount", "same_file", "link_exists", "is_file", "is_dir",
    "is_link", "is_mount",
    "is_same_file", "unvault", "random", "shuffle",
  ]

  init(_ bytes: [UInt8]) {
    isEncrypted = bytes.starts(with: Self.vault)
    hasSecrets = isEncrypted || Self.contains(bytes, Self.vault)
    isScript = bytes.starts(with: Array("#!".utf8))
    namesPlugin = bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).contains { line in
      line.starts(with: Array("plugin".utf8)) && line.dropFirst(6).drop { $0 == 0x20 }.first == 0x3A
    }
    readsWorld = Self.words(inTemplatesOf: bytes) { Self.looking.contains($0) }
  }

  private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    bytes.indices.contains { bytes[$0] == part[0] && bytes[$0...].starts(with: part) }
  }

  /// Whether any word fits that stands in a template, from `{{` or `{%` to the end of the line with the matching end.
  private static func words(inTemplatesOf bytes: [UInt8], fit: (String) -> Bool) -> Bool {
    var isInside = false
    var depth = 0
    var word: [UInt8] = []
    var last: UInt8 = 0
    for byte in bytes + [0x0A] {
      let isWord = byte == 0x5F || 0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte
      if isInside, isWord {
        word.append(byte)
      } else if !word.isEmpty {
        if fit(String(decoding: word, as: UTF8.self)) { return true }
        word = []
      }
      switch byte {
      case UInt8(ascii: "{"):
        if isInside { depth += 1 }
        if !isInside, last == byte { (isInside, depth) = (true, 2) }
      case UInt8(ascii: "%") where last == UInt8(ascii: "{"):
        if !isInside { (isInside, depth) = (true, 1) }
      case UInt8(ascii: "}") where isInside: depth -= 1
      case 0x0A, 0x0D: if depth <= 0 { isInside = false }
      default: break
      }
      last = byte
    }
    return false
  }
}
