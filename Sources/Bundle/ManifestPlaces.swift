import Integrity

/// The places and sizes of a manifest's files, together.
struct ManifestPlaces {
  private let files: [ManifestFile]
  /// Where the file of a name is in `files`, by the name's hash, as a table with open addressing: the low half of an entry is
  /// the place, the high half are bits of the hash. A dictionary of names takes ten times the memory.
  private var table: [UInt64]
  private static let empty = UInt64.max

  /// - Throws: ``ManifestFault`` for what cannot lie in one folder on every file system, and for sizes that no file has.
  static func check(_ files: [ManifestFile]) throws(ManifestFault) {
    var total: Int64 = 0
    var places = ManifestPlaces(files)
    for (index, file) in files.enumerated() {
      try checkValues(file, &total)
      if let other = places.insert(index) {
        let isSame = other.description.utf8.elementsEqual(file.path.description.utf8)
        throw ManifestFault(
          isSame ? "\"\(file.path)\" is there twice" : "\"\(other)\" and \"\(file.path)\" are one name on FAT"
        )
      }
    }
    try places.checkFolders()
  }

  private static func checkValues(_ file: ManifestFile, _ total: inout Int64) throws(ManifestFault) {
    guard file.size >= 0 else { throw ManifestFault("\"\(file.path)\" has the size \(file.size)") }
    guard file.size <= Manifest.largestBundle - total else {
      throw ManifestFault("its files together have more than \(Manifest.largestBundle) bytes")
    }
    total += file.size
    guard file.sha256.algorithm == .sha256 else {
      throw ManifestFault("the digest of \"\(file.path)\" is not a SHA-256")
    }
    guard file.image?.layers ?? 0 >= 0 else {
      throw ManifestFault("the image in \"\(file.path)\" has a negative number of layers")
    }
  }

  private init(_ files: [ManifestFile]) {
    self.files = files
    var size = 16
    while size < files.count + files.count / 2 { size *= 2 }
    table = Array(repeating: Self.empty, count: size)
  }

  /// - Returns: The path of an earlier file that has the name.
  private mutating func insert(_ index: Int) -> BundlePath? {
    let name = files[index].path.caseFolded
    let (slot, mark) = search(name)
    guard table[slot] == Self.empty else { return path(in: slot) }
    table[slot] = mark | UInt64(index)
    return nil
  }

  /// The slot of a name, or the empty one where it would be; and the bits of its hash for an entry.
  private func search(_ name: String) -> (slot: Int, mark: UInt64) {
    let hash = UInt64(bitPattern: Int64(name.hashValue))
    // The highest bit is 0, so that no entry looks empty; the others are not those by which the slot is chosen.
    let mark = hash & 0x7FFF_FFFF_0000_0000
    var slot = Int(hash & UInt64(table.count - 1))
    while table[slot] != Self.empty {
      if table[slot] & 0xFFFF_FFFF_0000_0000 == mark, path(in: slot).caseFolded == name { break }
      slot = (slot + 1) % table.count
    }
    return (slot, mark)
  }

  private func path(in slot: Int) -> BundlePath { files[Int(table[slot] & 0xFFFF_FFFF)].path }

  private func checkFolders() throws(ManifestFault) {
    var last = ""[...]
    for file in files {
      // Most files lie in the folder of the one before.
      let parent =
        file.path.description.utf8.lastIndex(of: UInt8(ascii: "/"))
        .map { file.path.description[..<$0] } ?? ""
      if parent.utf8.elementsEqual(last.utf8) { continue }
      last = parent
      var folder = file.path.caseFolded[...]
      while let slash = folder.lastIndex(of: "/") {
        folder = folder[..<slash]
        let slot = search(String(folder)).slot
        guard table[slot] != Self.empty else { continue }
        throw ManifestFault("\"\(path(in: slot))\" is a file, and a folder of \"\(file.path)\"")
      }
    }
  }
}
