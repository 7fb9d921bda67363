import Bundle

/// Where a file of a URL lies below outputs/files, and where kubespray will look for it on the target.
///
/// One rule table serves both: the decision is taken on kubespray's own template of the URL, and the concrete
/// path is that template's path with the values that the concrete URL shows. So the two cannot differ.
public struct FileLayout: Sendable {
  /// The place of one file.
  public struct Placement: Hashable, Sendable {
    /// The path below outputs/files, with `/` between folders, and without the escapes of the URL: a web server looks for
    /// `v1+a` when it is asked for `v1%2Ba`.
    public let path: String
    /// The same path as a Jinja template for offline.yml, with the escapes of the URL.
    public let template: String
  }

  /// Which arrangement this is.
  public let name: FileLayoutName

  /// Makes the rules of one arrangement.
  public init(name: FileLayoutName) {
    self.name = name
  }

  /// The place of one URL.
  ///
  /// - Parameters:
  ///   - url: The concrete URL.
  ///   - template: The template that kubespray renders to this URL, if one is known.
  /// - Throws: ``FileLayoutError`` when the URL is not a URL of a file, is not what the template renders to, or
  ///   would need a file name that a USB disk (FAT, exFAT) cannot hold.
  public func placement(url: String, template: String? = nil) throws(FileLayoutError) -> Placement {
    let source = URLTemplate(template ?? url)
    guard let values = source.bindings(rendered: url) else {
      throw .templateMismatch(url: url, template: template ?? url)
    }
    guard let location = URLLocation(source, values: values) else { throw .notAFile(url: url) }
    let place =
      switch name {
      // A base that ends with a slash gives two of them, which web servers take for one.
      case .original:
        Self.portable(location.host) + "/"
          + location.path.map(\.text).filter { !$0.isEmpty }.joined(separator: "/")
      case .kubesprayOffline: Self.directory(of: location) + (location.path.last?.text ?? "")
      }
    let rendered = URLTemplate(place).rendered(values)
    guard let path = percentDecoded(rendered) else {
      throw .notPortable(
        url: url, path: rendered, reason: "it has escapes (%) that no text in UTF-8 is behind")
    }
    do {
      _ = try BundlePath(path)
    } catch {
      throw .notPortable(url: url, path: path, reason: error.reason)
    }
    return Placement(path: path, template: place)
  }

  /// A host as a folder that FAT can keep: without a login, and with `+` before the port, as `wget` does it
  /// for Windows (wget manual, `--restrict-file-names`).
  private static func portable(_ host: String) -> String {
    String(host.split(separator: "@").last ?? "").replacing(":", with: "+")
  }

  /// The places of all files of a catalog, by URL.
  ///
  /// - Throws: ``FileLayoutError`` for the first URL without a valid place, or when two URLs would lie on one
  ///   path (names that differ by case only are one path on FAT).
  public func placements(of files: [CatalogFile]) throws(FileLayoutError) -> [String: Placement] {
    var places: [String: Placement] = [:]
    var taken: [String: String] = [:]
    for file in files where places[file.url] == nil {
      let place = try placement(url: file.own?.url ?? file.url, template: file.own?.template ?? file.template)
      if let other = taken.updateValue(file.url, forKey: place.path.lowercased()) {
        throw .collision(path: place.path, first: other, second: file.url)
      }
      places[file.url] = place
    }
    for (path, url) in taken.sorted(by: { $0.key < $1.key }) {
      var folder = path[...]
      while let slash = folder.lastIndex(of: "/") {
        folder = folder[..<slash]
        if let other = taken[String(folder)] {
          throw .collision(path: String(folder), first: other, second: url)
        }
      }
    }
    return places
  }
}

extension FileLayout {
  /// The rule table of `kubespray-offline`: the first rule that fits gives the folder, "" is the top.
  ///
  /// Folder names are the shell project's (download-kubespray-files.sh, `decide_relative_dir`), so existing
  /// bundles and habits stay valid. Files whose own name carries no version, where that project has no rule,
  /// get a folder by project and version: their content changes between versions under one name.
  private static func directory(of location: URLLocation) -> String {
    let file = location.file
    let version = location.version?.text
    func versioned(_ folder: String) -> String? { version.map { "\(folder)/\($0)/" } }

    switch true {
    case ["kubeadm", "kubectl", "kubelet"].contains(file.text):
      if let folder = versioned("kubernetes") { return folder }
    case file.fits("etcd-", ".tar.gz"): return "kubernetes/etcd/"
    case file.fits("cni-plugins", ".tgz"): return "kubernetes/cni/"
    case file.fits("crictl-", ".tar.gz"): return "kubernetes/cri-tools/"
    case file.fits("calicoctl-"): if let folder = versioned("kubernetes/calico") { return folder }
    case file.fits("runc."): if let folder = versioned("runc") { return folder }
    case file.fits("cilium-linux-"): if let folder = versioned("cilium-cli") { return folder }
    case ["runsc", "containerd-shim-runsc-v1"].contains(file.text) && location.path.count >= 3:
      let parents = location.path.dropLast().suffix(2).map(\.text)
      return "gvisor/\(parents.joined(separator: "/"))/"
    case file.fits("skopeo-linux-"): if let folder = versioned("skopeo") { return folder }
    case file.fits("yq_linux_"): if let folder = versioned("yq") { return folder }
    default: break
    }
    let isCalico = location.path.dropLast().contains { $0.text == "calico" }
    if file.carriesVersion { return isCalico ? "kubernetes/calico/" : "" }
    if isCalico { return versioned("kubernetes/calico") ?? "kubernetes/calico/" }
    return location.project.flatMap { versioned($0.text) } ?? ""
  }
}

/// The parts of a URL that the rules look at.
private struct URLLocation {
  /// The host, or host and leading path where a base variable holds both.
  let host: String
  /// The segments behind the host, the file name last; never empty.
  let path: [URLTemplate]

  /// - Parameter values: What the expressions stand for; a leading one is a base such as `{{ github_url }}`.
  init?(_ template: URLTemplate, values: [String: String]) {
    var segments = template.segments[...]
    guard let first = segments.popFirst() else { return nil }
    if first.text == "https:" || first.text == "http:" {
      guard segments.popFirst()?.text.isEmpty == true, let host = segments.popFirst() else { return nil }
      self.host = host.rendered(values)
    } else {
      let base = first.rendered(values)
      guard let scheme = ["https://", "http://"].first(where: base.hasPrefix) else { return nil }
      host = base.dropFirst(scheme.count).split(separator: "/").joined(separator: "/")
    }
    // What is behind the path does not name the file.
    if let end = segments.firstIndex(where: { $0.beforeQuery != nil }), let last = segments[end].beforeQuery {
      segments = segments[..<end] + [last]
    }
    path = Array(segments)
    guard !host.isEmpty, let file = path.last, !file.rendered(values).isEmpty else { return nil }
  }

  var file: URLTemplate { path[path.count - 1] }

  /// The version segment nearest to the file name.
  var version: URLTemplate? { path.dropLast().last(where: \.isVersion) }

  /// The project that a forge's URL names: `/OWNER/PROJECT/…`; elsewhere what stands before the version.
  var project: URLTemplate? {
    guard let index = path.dropLast().lastIndex(where: \.isVersion) else { return nil }
    if index >= 2 { return path[1] }
    return index == 1 ? path[0] : nil
  }
}

extension URLTemplate {
  /// What stands before a literal `?` or `#`; `nil` where there is none.
  fileprivate var beforeQuery: URLTemplate? {
    var kept = ""
    for piece in pieces {
      guard case .literal(let text) = piece,
        let mark = text.unicodeScalars.firstIndex(where: { $0 == "?" || $0 == "#" })
      else {
        kept += piece.text
        continue
      }
      return URLTemplate(kept + text[..<mark])
    }
    return nil
  }

  /// Whether the literal text at both ends fits; what expressions stand for does not matter.
  fileprivate func fits(_ prefix: String, _ suffix: String = "") -> Bool {
    literalPrefix.hasPrefix(prefix) && (suffix.isEmpty || literalSuffix.hasSuffix(suffix))
      && text.count >= prefix.count + suffix.count
  }

  /// `v1.34.3`, `v1.34.0-rc.1`, `20260112.0`, `v{{ kube_version }}` or `{{ gvisor_version }}`.
  fileprivate var isVersion: Bool {
    let bare = literalPrefix.drop { $0 == "v" }
    if literalPrefix.count - bare.count > 1 { return false }
    if let first = bare.first { return first.isNumber && text.contains(".") }
    return !expressions.isEmpty && (literalPrefix == "v" || expressions[0].contains("version"))
  }

  /// Whether a file name says which version it is, so that two versions never share a name.
  fileprivate var carriesVersion: Bool {
    if expressions.contains(where: { $0.contains("version") }) { return true }
    return pieces.contains { piece in
      guard case .literal(let text) = piece else { return false }
      return text.contains(/[0-9]\.[0-9]/)
    }
  }
}
