import Bundle

/// Image names as variables and templates of kubespray hold them.
enum ImageName {
  /// The full reference of a text of the shape `NAME:TAG` or `NAME@DIGEST`; `nil` for anything else: an expression
  /// that was not evaluated, or a name alone, which in kubespray is the start of a name more often than an image.
  static func reference(_ text: String) -> String? {
    guard let reference = try? ImageReference(text),
      reference.digest != nil || text.hasSuffix(":\(reference.tag ?? "")")
    else { return nil }
    return reference.description
  }
}
