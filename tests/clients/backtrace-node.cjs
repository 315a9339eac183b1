// Sends one report with @backtrace/node as an application would, then a file attachment to the report it was told about.
//
//   NODE_PATH=<folder>/node_modules node backtrace-node.cjs <submission url> <attachment> <late attachment>
//
// Prints one JSON object: the SDK's own results of both calls. Late attachments are files only: with text or a buffer in memory
// the SDK (0.8.3) never ends its request, so no listener can ever answer it.
'use strict';

const { BacktraceClient, BacktraceFileAttachment, BacktraceNodeRequestHandler } = require('@backtrace/node');
const { SubmissionUrlInformation } = require('@backtrace/sdk-core');

async function main([url, attachment, late]) {
    const client = BacktraceClient.initialize({
        url,
        attachments: [attachment],
        userAttributes: () => ({ application: 'systest', 'application.version': '1.2.3' }),
        metrics: { enable: false },
        breadcrumbs: { enable: false },
    });
    const report = await client.send(new Error('a crash on purpose'), { sent: 'by node' });

    const handler = new BacktraceNodeRequestHandler({ timeout: 15000 });
    const rxid = report.result && report.result._rxid;
    const attached = rxid && await handler.postAttachment(
        SubmissionUrlInformation.toAttachmentSubmissionUrl(url, rxid, 'late.log'),
        new BacktraceFileAttachment(late, 'late.log'));

    process.stdout.write(JSON.stringify({ report, attached }) + '\n');
    process.exit(0);
}

main(process.argv.slice(2)).catch(error => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
});
