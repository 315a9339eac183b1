namespace FastListener.ConformanceTests.Proxies;

/// <summary>A proxy and one way to configure it. All of them keep connections to the listener open and use them for every client.</summary>
internal sealed record ProxyKind(string Name, string Program, string Configuration, Func<string, string, string[]> Arguments)
{
    private const string Nginx = """
        daemon off;
        master_process off;
        worker_processes 1;
        user root;
        pid @FOLDER@/nginx.pid;
        error_log stderr crit;
        events { worker_connections 512; }
        http {
          access_log off;
          client_body_temp_path @FOLDER@/body;
          proxy_temp_path @FOLDER@/proxy;
          fastcgi_temp_path @FOLDER@/fastcgi;
          uwsgi_temp_path @FOLDER@/uwsgi;
          scgi_temp_path @FOLDER@/scgi;
          client_max_body_size 0;
          client_header_timeout 5s;
          client_body_timeout 5s;
          lingering_close off;
          merge_slashes off;
          large_client_header_buffers 8 64k;
          @LENIENT@
          upstream listener { server 127.0.0.1:@UPSTREAM@; keepalive 1; }
          server {
            listen 127.0.0.1:@PORT@;
            location / {
              proxy_pass http://listener;
              proxy_http_version 1.1;
              proxy_ignore_client_abort on;
              proxy_next_upstream off;
              proxy_set_header Connection "";
              proxy_set_header X-Edge "@MARK@";
              proxy_request_buffering @BUFFERING@;
            }
          }
        }
        """;

    private const string HAProxy = """
        global
          nbthread 1
          maxconn 500
        defaults
          mode http
          timeout connect 5s
          timeout client 5s
          timeout server 10s
          timeout http-request 5s
          timeout http-keep-alive 5s
          option http-keep-alive
          @LENIENT@
        frontend edge
          bind 127.0.0.1:@PORT@
          http-request set-header X-Edge @MARK@
          default_backend listener
        backend listener
          http-reuse always
          server one 127.0.0.1:@UPSTREAM@

        """;

    public static IReadOnlyList<ProxyKind> All { get; } =
    [
        Of("nginx, bodies streamed", "nginx", Nginx, "off", ""),
        Of("nginx, bodies buffered, odd fields let through", "nginx", Nginx, "on", "ignore_invalid_headers off; underscores_in_headers on;"),
        Of("HAProxy", "haproxy", HAProxy, "", ""),
        Of("HAProxy, invalid requests let through", "haproxy", HAProxy, "", "option accept-invalid-http-request"),
    ];

    private static ProxyKind Of(string name, string program, string configuration, string buffering, string lenient) => new(
        name,
        program,
        configuration.Replace("@BUFFERING@", buffering, StringComparison.Ordinal).Replace("@LENIENT@", lenient, StringComparison.Ordinal),
        (folder, file) => program == "nginx" ? ["-p", folder, "-c", file] : ["-db", "-f", file]);
}
