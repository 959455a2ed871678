/** A stand-in for the backend, for work on the pages only (`npm run mock`). Its facts are invented. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Plugin } from 'vite'

const APPEAL = {
  number: 'QT20991121-0042',
  level: 'single',
  level_text: '单一部门问题',
  category: '项目',
  lead_department: '示例部门',
  co_departments: [],
  territory: '示例街道',
  state: 'filed',
  state_text: '已提交',
  submitted_at: '2099-11-21T09:12:00+08:00',
  due_at: '2099-11-25T17:30:00+08:00',
}
const CARD = {
  type: 'entry',
  entry: 'xx.demo',
  title: '示例条目',
  board: '诉求',
  fields: [
    { label: '电话', value: '0571-20000000' },
    { label: '网址', value: '', links: [{ name: '示例网站', url: 'https://example.com/' }] },
  ],
  source: { document: '示例文件', section: '一、示例章节' },
}
let started = 0
let state = 'resolved'

function reply(message: string): unknown {
  if (message.includes('诉求'))
    return { messages: [{ text: '您的诉求已经提交，编号 QT20991121-0042。', card: { type: 'appeal', ...APPEAL } }], outcome: 'filed' }
  if (message.includes('填'))
    return {
      messages: [
        {
          text: '请问企业名称是什么？',
          buttons: [{ title: '取消填写', payload: '/cancel' }],
          card: { type: 'form', title: '提交诉求', step: 1, total: 5, fields: [{ label: '企业名称', value: null }] },
        },
      ],
      outcome: 'form',
    }
  return {
    messages: [
      {
        text: `您问的是：${message}\n示例电话 0571-20000000，示例网址 https://example.com/a?b=1。`,
        citations: [{ document: '示例文件', section: '一、示例章节', entry: 'xx.demo' }],
        card: CARD,
        buttons: [
          { title: '提交诉求', payload: '/open_appeal_form' },
          { title: '换个问题', payload: '换个问题' },
        ],
      },
    ],
    outcome: 'answered',
  }
}

function answer(path: string, body: Record<string, unknown>): [number, unknown] {
  if (path === '/readyz') {
    started ||= Date.now()
    const ready = Date.now() - started > 8000
    return [ready ? 200 : 503, { ready, parts: { database: 'ok', knowledge: 'ok', bot: ready ? 'ok' : 'loading' } }]
  }
  if (path === '/api/v1/chat') return [200, reply(String(body['message']))]
  if (path === '/api/v1/territories') return [200, { territories: [{ name: '示例街道', kind: 'street' }, { name: '示例平台', kind: 'platform' }] }]
  if (path === '/api/v1/knowledge/answer') return [200, { messages: [{ text: '示例', card: CARD }], outcome: 'answered' }]
  if (path === '/api/v1/appeals') return [201, { group: 'g', appeals: [{ ...APPEAL, text: body['text'] }] }]
  if (path.endsWith('/feedback')) {
    state = body['result'] === 'resolved' ? 'closed' : 'reopened'
    return [200, {}]
  }
  if (path === '/api/v1/appeals/lookup')
    return [
      200,
      {
        appeal: {
          ...APPEAL,
          state,
          state_text: null,
          text: '示例问题',
          replies: [{ at: APPEAL.submitted_at, department: '示例部门', text: '已经处理。' }],
          history: [{ at: APPEAL.submitted_at, event: 'file', text: '企业提交诉求' }],
          feedback: null,
        },
      },
    ]
  return [404, { error: { code: 'not_found', message: '没有这个地址。', details: {} } }]
}

async function read(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const piece of request) text += String(piece)
  return text ? (JSON.parse(text) as Record<string, unknown>) : {}
}

export function mockApi(): Plugin {
  return {
    name: 'mock-api',
    configureServer(server) {
      server.middlewares.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
        const path = (request.url ?? '').split('?')[0] ?? ''
        if (!path.startsWith('/api/') && path !== '/readyz') return next()
        void read(request).then((body) => {
          const [status, sent] = answer(path, body)
          setTimeout(() => {
            response.writeHead(status, { 'Content-Type': 'application/json' })
            response.end(JSON.stringify(sent))
          }, 500)
        })
      })
    },
  }
}
