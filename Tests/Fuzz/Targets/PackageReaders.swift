import Files
import SystemPackage

@testable import Kubespray
@testable import Mirrors
@testable import TargetSetup

/// Readers of package archives, and of what kubespray says.
let packageReaders = [
  Reader(text: "debian-control") { text in
    let paragraph = DebianControl(text)
    try hold(paragraph.text == text, "a paragraph stays as it is")
    for field in ["Package", "Version", "Filename", "Description"] { _ = paragraph[field] }
    for relation in paragraph.relations("Depends") + paragraph.relations("Pre-Depends") {
      try hold(!relation.name.isEmpty, "a relation has a name")
    }
  },
  Reader(file: "debian-list") { file in
    guard let lists = try? PackageLists([file]) else { return }
    for name in lists.essentialNames.union(lists.base.map(\.name)) {
      try hold(lists.has(name), "a package that is named is there")
      for paragraph in try lists.paragraphs(of: name) {
        try hold(!paragraph.text.isEmpty, "it has a paragraph")
      }
    }
    for (_, source) in lists.base { _ = try lists.paragraphs(ofSource: source) }
  },
  Reader(text: "apt-sources") { text in
    for source in AptSource.parse(text, file: "/etc/apt/sources.list") {
      let again = AptSource.parse(source.deb822, file: source.file)
      try hold(again == [source], "a source that is written reads the same: \(source.deb822)")
    }
  },
  Reader(text: "package-list") { text in
    guard let packages = try? PackageList.parse(TypedText(text), origin: "input") else { return }
    for package in packages {
      try hold(!package.name.hasPrefix("-"), "the name of a package is not an option: \(package.name)")
    }
  },
  Reader(text: "package-index") { text in
    _ = ShellIndexes.debian(text)
    for (name, _) in ShellIndexes.python(text) { try hold(!name.isEmpty, "a file has a name") }
  },
  Reader(file: "rpm-metadata") { file in
    let folder = file.removingLastComponent()
    try createDirectories(folder.appending("repodata"), isDurable: false)
    try moveFile(file, to: folder.pushing("repodata/primary"))
    try writeAtomically(
      #"<repomd><data type="primary"><location href="repodata/primary"/></data></repomd>"#,
      to: folder.pushing("repodata/repomd.xml"))
    _ = try? ShellIndexes.rpm(folder)
  },
  Reader(text: "url-template") { text in
    let template = URLTemplate(text)
    try hold(template.text == text, "a template stays as it is")
    let segments = template.segments.map(\.text).joined(separator: "/")
    try hold(segments == text, "the segments of a template are all of it")
  },
  Reader(text: "kubespray-version") { text in
    guard let version = try? KubesprayVersion(text) else { return }
    let isName = FilePath(version.name).components.count == 1 && FilePath(version.name).isRelative
    try hold(isName || version.kind == .branch, "a version can be a name: \(version.name)")
    try hold(
      !version.name.contains("..") && !version.name.hasPrefix("-"), "a version is harmless: \(version.name)")
  },
]
