import Bundle

extension LockUnusable: Advised {
  var problemKind: String { "bundle-lock" }
  var subject: String? { "\(path)" }
  var fact: String { reason }

  var advice: String? {
    isMissing
      ? "Name it with --lock, or run without --locked: a complete run writes it."
      : "Take it from where your team keeps it, or run without --locked to make another one."
  }
}

extension LockContradicted: Advised {
  var problemKind: String { "bundle-lock" }

  var advice: String? {
    switch cause {
    case .settings: "Correct the settings, or run without --locked: that makes a lock of them."
    case .upstream:
      "Nothing replaces what upstream no longer has: fetch it from a bundle or a mirror that has it (mirrors:), or run "
        + "without --locked to make a lock of what there is now."
    }
  }
}
