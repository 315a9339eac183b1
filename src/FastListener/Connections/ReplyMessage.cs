namespace FastListener.Connections;

/// <summary>A reply before it has a connection: the status, further header lines and a JSON body.</summary>
/// <param name="Status">HTTP status code.</param>
/// <param name="Body">JSON in UTF-8, never empty. Belongs to whoever made the message until the reply is written.</param>
/// <param name="Extra">Further header lines, each as <c>\r\nName: value</c>. May be empty.</param>
/// <param name="Closes">Whether the connection ends after this reply whatever the client wished.</param>
internal readonly record struct ReplyMessage(int Status, ReadOnlyMemory<byte> Body, ReadOnlyMemory<byte> Extra, bool Closes);
